using System.CommandLine;
using SalesTasks.Airflow;
using SalesTasks.Cli;

namespace SalesTasks.Campaigns;

/// <summary><c>campaigns preview</c>: every step as a lead would get it. Writes and sends nothing.</summary>
internal static class CampaignPreview
{
    public static PeopleCommand Command()
    {
        var name = new Argument<string>("name") { Description = "Name of a campaign, or a campaign file" };
        var lead = new Option<string?>("--lead") { Description = "ext_id of a lead; left out: a sample lead" };
        var variants = new Option<bool>("--all-variants") { Description = "Every variant and not only the lead's" };
        var command = new PeopleCommand("preview", "Show every step as a lead would get it, without sending", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var policy = await CampaignStore.PolicyAsync(connection, stop);
            var asked = context.Parse.GetRequiredValue(name);
            var (id, campaign) = await FindAsync(connection, asked, policy, stop);
            var facts = CampaignCheck.Complete with { Language = context.Text(Languages.English, Languages.Spanish), Now = context.Host.Time.GetUtcNow() };
            if (context.Parse.GetValue(lead) is { } extId)
            {
                facts = await StepStore.FactsOfLeadAsync(connection, extId, context.Host.Time.GetUtcNow(), stop) ?? throw JobException.Usage($"--lead: there is no lead {Quoted.Text(extId)}; allowed: the ext_id of a lead");
            }

            var rendered = Render(campaign, id, facts, context.Parse.GetValue(variants)).ToList();
            if (context.Json)
            {
                context.WriteJson(rendered.Select(object? (r) => new Dictionary<string, object?>(StringComparer.Ordinal)
                {
                    ["step"] = r.Number,
                    ["type"] = r.Step.Type.ToString().ToLowerInvariant(),
                    ["delay_hours"] = r.Step.Delay.TotalHours,
                    ["variant"] = r.Variant.Name.Length > 0 ? r.Variant.Name : null,
                    ["subject"] = r.Message.Subject,
                    ["text"] = r.Message.Text,
                    ["html"] = r.Message.Html,
                }).ToList());
                return ExitCode.Done;
            }

            foreach (var r in rendered)
            {
                Write(context, r);
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(name);
        command.Options.Add(lead);
        command.Options.Add(variants);
        return command;
    }

    private static async Task<(long Id, Campaign Campaign)> FindAsync(
        Npgsql.NpgsqlConnection connection, string asked, SendWindow policy, CancellationToken stop)
    {
        var stored = await CampaignStore.FindAsync(connection, asked, stop);
        if (stored is null && File.Exists(asked))
        {
            var (read, wrong) = CampaignReader.Read(CampaignFile.Read(asked), policy);
            return (0, read ?? throw JobException.Usage(string.Join('\n', wrong.Select(fault => $"'{asked}', {fault}"))));
        }

        stored ??= await CampaignStore.LoadAsync(connection, asked, stop);
        var found = stored.Check(policy);
        return (stored.Id, found.Campaign ?? throw JobException.Usage($"campaigns preview: {Quoted.Text(stored.Name)} is invalid:\n{string.Join('\n', found.Faults)}"));
    }

    private static IEnumerable<(int Number, CampaignStep Step, Variant Variant, StepMessage Message)> Render(
        Campaign campaign, long id, LeadFacts facts, bool allVariants)
    {
        for (var i = 0; i < campaign.Steps.Count; i++)
        {
            var step = campaign.Steps[i];
            foreach (var variant in allVariants ? step.Variants : [VariantChoice.Choose(step.Variants, id, facts.LeadExtId)])
            {
                var (language, texts) = variant.For(facts.Language);
                StepMessage message;
                try
                {
                    message = StepMessage.Render(step, texts, facts with { CampaignName = campaign.Name, Step = i + 1 }, language);
                }
                catch (TemplateException exception)
                {
                    throw JobException.Usage($"campaigns preview: step {i + 1}: {exception.Message}", exception);
                }

                yield return (i + 1, step, variant, message);
            }
        }
    }

    private static void Write(PeopleContext context, (int Number, CampaignStep Step, Variant Variant, StepMessage Message) rendered)
    {
        var (number, step, variant, message) = rendered;
        var heading = $"{context.Text("Step", "Paso")} {number}: {step.Type.ToString().ToLowerInvariant()}, "
            + context.Text($"{step.Delay.TotalHours} h after the step before", $"{step.Delay.TotalHours} h después del paso anterior")
            + (variant.Name.Length > 0 ? $", {context.Text("variant", "variante")} {variant.Name}" : "");
        context.Host.Out.WriteLine("== " + heading);
        if (message.Subject is not null)
        {
            context.Host.Out.WriteLine($"{context.Text("Subject", "Asunto")}: {message.Subject}");
            context.Host.Out.WriteLine();
        }

        context.Host.Out.WriteLine(message.Text ?? "");
        if (message.Html is not null)
        {
            context.Host.Out.WriteLine();
            context.Host.Out.WriteLine("HTML:");
            context.Host.Out.WriteLine(message.Html);
        }

        context.Host.Out.WriteLine();
    }
}
