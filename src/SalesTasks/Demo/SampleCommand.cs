using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Demo;

/// <summary><c>db sample</c>: the demo's sample in a database of one's own, for a development setup.</summary>
internal static class SampleCommand
{
    private const int Leads = 10_000;

    public static PeopleCommand Create() => new(
        "sample", "Load 10,000 sample leads with two years of history; does nothing where there are leads already", async (context, stop) =>
        {
            // The sample's triggers take their time from its present, which a session keeps for as long as the database is open.
            var now = context.Host.Time.GetUtcNow();
            var options = new SampleOptions(new(now.Ticks - (now.Ticks % TimeSpan.TicksPerHour), TimeSpan.Zero)) { Leads = Leads };
            await using var database = await context.OpenAsync(stop, new SalesDatabaseOptions { AsOf = options.Present });
            if (!await IsEmptyAsync(database, stop))
            {
                context.Host.Out.WriteLine(context.Text(
                    $"{database.Place} holds leads, reps or campaigns already: nothing was loaded.",
                    $"{database.Place} ya contiene leads, representantes o campañas: no se cargó nada."));
                return ExitCode.Done;
            }

            var counts = await new SampleLoader(database, new SampleGenerator(options)).LoadAsync(progress: null, stop);
            context.Host.Out.WriteLine(context.Text(
                $"{counts.Leads} leads, {counts.Reps} reps, {counts.Deals} deals, {counts.Tasks} tasks.",
                $"{counts.Leads} leads, {counts.Reps} representantes, {counts.Deals} oportunidades, {counts.Tasks} tareas."));
            return ExitCode.Done;
        });

    private static async Task<bool> IsEmptyAsync(SalesDatabase database, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await connection.ScalarStatementAsync<bool>("demo/is_empty", [], cancellationToken);
    }
}
