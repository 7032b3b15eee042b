using System.CommandLine;
using System.Text.Json.Nodes;
using SalesTasks.Airflow;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Explain;

/// <summary><c>explain &lt;lead&gt;</c>: everything that was decided about a lead and why, section by section.</summary>
internal static class ExplainCommand
{
    /// <param name="sections">In the order they are shown. The first one knows every lead: without its answer there is no such lead.</param>
    public static PeopleCommand Create(params IReadOnlyList<ExplainSection> sections)
    {
        var lead = new Argument<string>("lead") { Description = "The lead's ext_id" };
        var command = new PeopleCommand("explain", "Explain what was decided about a lead: its score, its rep, its next contact", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var extId = context.Parse.GetRequiredValue(lead);
            // Before anything is shown: what is not recorded is not read.
            await AuditLog.RecordReadAsync(connection, "explain", extId, stop);
            var answers = new List<(ExplainSection Section, JsonNode Answer)>();
            foreach (var section in sections)
            {
                if (await section.LoadAsync(context, connection, extId, stop) is { } json)
                {
                    answers.Add((section, JsonNode.Parse(json)!));
                }
                else if (answers.Count == 0)
                {
                    throw JobException.Usage($"explain: there is no lead with ext_id {Quoted.Text(extId)}");
                }
            }

            if (context.Json)
            {
                context.Host.Out.WriteLine(Document(answers).ToJsonString());
            }
            else
            {
                foreach (var (section, answer) in answers)
                {
                    using var document = System.Text.Json.JsonDocument.Parse(answer.ToJsonString());
                    section.Show(context, document.RootElement);
                }
            }

            return ExitCode.Done;
        });
        command.Arguments.Add(lead);
        foreach (var option in sections.SelectMany(section => section.Options()))
        {
            command.Options.Add(option);
        }

        return command;
    }

    private static JsonObject Document(List<(ExplainSection Section, JsonNode Answer)> answers)
    {
        var document = new JsonObject();
        foreach (var (section, answer) in answers)
        {
            if (section.Name is { } name)
            {
                document[name] = answer;
            }
            else
            {
                foreach (var (key, value) in answer.AsObject().ToList())
                {
                    answer.AsObject().Remove(key);
                    document[key] = value;
                }
            }
        }

        return document;
    }
}
