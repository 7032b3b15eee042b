using System.CommandLine;
using SalesTasks.Cli;
using SalesTasks.Predictions.Learning;

namespace SalesTasks.Predictions.Exports;

/// <summary><c>ml benchmark</c>: how predictable the outcomes in somebody's own export are. Needs no database.</summary>
internal static class BenchmarkCommand
{
    /// <summary>Fits of fewer rows are over before threads have met.</summary>
    private const int ThreadsFrom = 100_000;

    public static PeopleCommand Create()
    {
        var csv = new Option<string>("--csv") { Description = "The file: CSV with a header line, also packed with gzip (.gz)", Required = true };
        var label = new Option<string>("--label") { Description = "The column that holds the outcome", Required = true };
        var positive = new Option<string>("--positive") { Description = "The outcome to predict, such as Won or 1", Required = true };
        var negative = new Option<string[]>("--negative")
        {
            Description = "Another outcome; rows with neither are left out (without it every other value is one); repeatable",
            AllowMultipleArgumentsPerToken = true,
        };
        var exclude = new Option<string[]>("--exclude")
        {
            Description = "Columns that must not be used; repeatable",
            AllowMultipleArgumentsPerToken = true,
        };
        var time = new Option<string?>("--time")
        {
            Description = "A column of dates, or of numbers that rise with time: the newest 20 % are predicted from the rest as well",
        };
        var missing = new Option<string[]>("--missing")
        {
            Description = "A text that stands for a missing value, such as Select; repeatable",
            AllowMultipleArgumentsPerToken = true,
        };
        var seed = WholeNumber.Option("--seed", "The same one gives the same figures, another one an equally valid run", 1, 0);

        var command = new PeopleCommand("benchmark", "Tell how predictable the outcomes in a CSV export are", (context, stop) =>
        {
            var parse = context.Parse;
            var request = new ExportRequest(
                parse.GetRequiredValue(csv), parse.GetRequiredValue(label), parse.GetRequiredValue(positive), parse.GetValue(negative) ?? [],
                parse.GetValue(exclude) ?? [], parse.GetValue(time), parse.GetValue(missing) ?? []);
            Run(context, request, parse.GetValue(seed), stop);
            return Task.FromResult(ExitCode.Done);
        });
        foreach (var option in (Option[])[csv, label, positive, negative, exclude, time, missing, seed])
        {
            command.Options.Add(option);
        }

        return command;
    }

    private static void Run(PeopleContext context, ExportRequest request, int seed, CancellationToken stop)
    {
        void Progress(string text)
        {
            if (context.Host.ErrorIsTerminal)
            {
                context.Host.Error.WriteLine(text);
            }
        }

        Progress(context.Text($"reading {request.Path}", $"leyendo {request.Path}"));
        var export = ExportTable.Read(request, stop);
        var leaks = LeakFinder.Find(export);
        var settings = new CompetitionSettings
        {
            Seed = seed,
            Threads = export.Labels.Length >= ThreadsFrom ? Environment.ProcessorCount : 1,
            Time = context.Host.Time,
        };
        var results = ExportBenchmark.Run(export, settings, Progress, stop).ToList();
        var report = new BenchmarkReport(context, request, seed, export, leaks, results);
        if (context.Json)
        {
            report.WriteJson();
        }
        else
        {
            report.WriteTables();
        }
    }
}
