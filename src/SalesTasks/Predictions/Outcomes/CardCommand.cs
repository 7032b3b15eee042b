using System.CommandLine;
using System.Text.Json;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Predictions.Outcomes;

/// <summary><c>ml card</c>: what a model is, what it may be used for and how good it is, as one page.</summary>
internal static class CardCommand
{
    private const string DefaultFile = "model-card.html";

    public static PeopleCommand Create()
    {
        var number = new Option<long?>("--model") { Description = "A model's number (see ml models); left out: all that are published" };
        var output = new Option<string?>("--output") { Description = $"The HTML file that is written; left out: {DefaultFile} in this folder" };
        var command = new PeopleCommand("card", "Write a model card: use and limits, data, figures, plots, in one HTML file", async (context, stop) =>
        {
            await using var database = await context.OpenAsync(stop);
            await using var connection = await database.OpenAsync(stop);
            var asked = context.Parse.GetValue(number);
            var models = await connection.QueryStatementAsync("predictions/model_cards", [("id", asked)], CardModel.Read, stop);
            if (models.Count == 0)
            {
                throw JobException.Usage(asked is { } id
                    ? $"--model {id}: there is no such model; allowed: a number that 'ml models' lists"
                    : "ml card: no model is published; allowed: --model N of 'ml models', or train one with 'ml train'");
            }

            var file = Path.GetFullPath(context.Parse.GetValue(output) ?? DefaultFile);
            try
            {
                await File.WriteAllTextAsync(file, ModelCard.Write(models, context), stop);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                throw JobException.Usage($"--output {file}: cannot be written ({exception.Message}); allowed: a file in a folder that exists", exception);
            }

            if (context.Json)
            {
                context.WriteJson(new Dictionary<string, object?>(StringComparer.Ordinal) { ["file"] = file, ["models"] = models.Select(object? (m) => m.Id).ToList() });
            }
            else
            {
                context.Host.Out.WriteLine(file);
            }

            return ExitCode.Done;
        });
        command.Options.Add(number);
        command.Options.Add(output);
        return command;
    }
}

/// <summary>A model without its content.</summary>
internal sealed record CardModel(
    long Id, string Kind, string Status, string Algorithm, DateTimeOffset TrainedAt, int Rows, int Deals, int Won, int Lost, string[] Features, JsonElement Metrics,
    string Reason, int Format, string Version, int Seed, DateTimeOffset From, DateTimeOffset To, string Hash)
{
    public static CardModel Read(Npgsql.NpgsqlDataReader row)
    {
        using var features = JsonDocument.Parse(row.GetString(9));
        using var metrics = JsonDocument.Parse(row.GetString(10));
        return new CardModel(
            row.GetInt64(0), row.GetString(1), row.GetString(2), row.GetString(3), row.GetFieldValue<DateTimeOffset>(4), row.GetInt32(5), row.GetInt32(6), row.GetInt32(7),
            row.GetInt32(8), [.. features.RootElement.EnumerateArray().Select(f => f.GetString()!)], metrics.RootElement.Clone(), row.GetString(11), row.GetInt32(12),
            row.GetString(13), row.GetInt32(14), row.GetFieldValue<DateTimeOffset>(15), row.GetFieldValue<DateTimeOffset>(16), row.GetString(17));
    }

    /// <summary>A figure of the test or of the simplest answer; null where it was not kept.</summary>
    public double? Figure(string part, string name) =>
        Metrics.TryGetProperty(part, out var figures) && figures.ValueKind == JsonValueKind.Object && figures.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    public double? Figure(string name) => Metrics.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;
}
