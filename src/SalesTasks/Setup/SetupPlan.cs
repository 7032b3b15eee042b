namespace SalesTasks.Setup;

/// <summary>What a setup is to do beside the schema and the checks.</summary>
/// <param name="Roles">The group roles of <c>db roles apply</c>.</param>
/// <param name="RepsFile">A CSV file of reps; null: none.</param>
/// <param name="SampleReps">The four reps of the examples, where there are none.</param>
/// <param name="SampleCampaigns">The campaigns of the examples, disabled, where there is none of their name.</param>
internal sealed record SetupPlan(bool Roles, string? RepsFile, bool SampleReps, bool SampleCampaigns);

/// <summary>A step that was done.</summary>
/// <param name="Name">The command, as a person would run it alone.</param>
/// <param name="Changed">False where all was as it should be already.</param>
/// <param name="Outcome">In words.</param>
internal sealed record SetupStep(string Name, bool Changed, string Outcome);
