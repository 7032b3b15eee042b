using SalesTasks.Cli;

namespace SalesTasks.Reports;

/// <summary>
/// <c>reports build</c>: reads everything about the last complete period in one snapshot, makes the files and keeps them in the database. The
/// same data again write nothing; other data for the same period are a new version, and the old one is kept.
/// </summary>
internal static class BuildReport
{
    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        var period = ReportPeriod.LastComplete(context.Parameters.Get(ReportsJobs.ReportType), context.AsOf);
        var language = ReportLanguage.Of(context.Parameters.Get(ReportsJobs.Language));
        var (report, rows, version, isNew) = await context.Database.InSnapshotAsync(
            async (connection, _, token) =>
            {
                var snapshot = new ReportSnapshot(connection, period, context.AsOf);
                var tables = new List<ReportTable>();
                foreach (var section in ReportSections.All)
                {
                    tables.Add(new ReportTable(section, period, await section.ReadAsync(snapshot, section, token)));
                }

                var report = Report.Of(period, tables, language);
                var newest = await ReportStore.NewestAsync(connection, period, language, token);
                var isNew = newest is null || !newest.Sha256.AsSpan().SequenceEqual(report.Sha256());
                var version = (newest?.Version ?? 0) + (isNew ? 1 : 0);
                if (isNew && !context.DryRun)
                {
                    await ReportStore.SaveAsync(connection, report, version, token);
                    await ReportStore.SaveForecastAsync(
                        connection, period, tables.Single(table => table.Section.Name == Sections.ForecastSection.Section.Name), context.AsOf, token);
                }

                return (report, tables.Sum(table => table.Rows.Count), version, isNew);
            },
            cancellationToken);

        var details = new Dictionary<string, object?>(StringComparer.Ordinal)
        {
            ["report_type"] = period.Type,
            ["period"] = period.Id,
            ["language"] = language.Code,
            ["version"] = version,
            ["sha256"] = Convert.ToHexStringLower(report.Sha256()),
        };
        var written = 0;
        if (context.Parameters.Get(ReportsJobs.Output) is { } folder && !context.DryRun)
        {
            (written, var page) = ReportFolder.Write(folder, period, language, report.Files);
            details["page"] = page;
        }

        return new JobResult(new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["new_versions"] = isNew ? 1 : 0,
            ["sections"] = ReportSections.All.Count,
            ["rows"] = rows,
            ["files"] = report.Files.Count,
            ["bytes"] = report.Files.Sum(file => (long)file.Content.Length),
            ["written"] = written,
        })
        {
            NothingToDo = !isNew && written == 0,
            Details = details,
        };
    }
}
