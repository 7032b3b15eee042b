using System.Globalization;
using Npgsql;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Database;

/// <summary>
/// Tests on the tables around the pipeline. Every test starts without leads, deals, reps and campaigns, and in every session the time is
/// <see cref="Now"/>, so that statements may say <c>sales_now() - interval '3 days'</c>.
/// </summary>
public abstract class PipelineTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    /// <summary>A Monday, in the middle of the month and of the day.</summary>
    private protected static readonly DateTime Now = new(2026, 3, 16, 12, 0, 0, DateTimeKind.Utc);

    private protected TestDatabase Db => database;

    public virtual async ValueTask InitializeAsync()
    {
        await database.WorkAtAsync(new DateTimeOffset(Now));
        await database.ExecuteAsync("DELETE FROM leads; DELETE FROM sales_reps; DELETE FROM sales_campaigns; DELETE FROM task_runs");
    }

    public virtual ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    /// <summary>An instant so many days before <see cref="Now"/>.</summary>
    private protected static DateTime DaysAgo(double days) => Now.AddDays(-days);

    /// <summary>Adds a lead and its deal and returns the deal's id.</summary>
    /// <param name="lead">The lead's ext_id.</param>
    /// <param name="columns">Further columns of sales_pipeline, separated by commas.</param>
    /// <param name="values">Their values as SQL.</param>
    private protected Task<long> AddDealAsync(string lead, string columns = "", string values = "") => database.ScalarAsync<long>(
        $"""
        INSERT INTO leads (ext_id, source, email) VALUES (@lead, 'organic', @lead || '@lead.example');
        INSERT INTO sales_pipeline (lead_ext_id, email{Prefixed(columns)}) VALUES (@lead, @lead || '@lead.example'{Prefixed(values)}) RETURNING id
        """,
        ("lead", lead));

    /// <summary>Adds a task to a deal.</summary>
    private protected Task AddTaskAsync(long deal, string columns = "", string values = "") => database.ExecuteAsync(
        $"""
        INSERT INTO sales_followup_tasks (pipeline_id, lead_ext_id, task_type, task_title{Prefixed(columns)})
        SELECT id, lead_ext_id, 'call', 'Call'{Prefixed(values)} FROM sales_pipeline WHERE id = @deal
        """,
        ("deal", deal));

    /// <summary>The one row a query returns.</summary>
    private protected async Task<Dictionary<string, object?>> RowAsync(string sql, params (string Name, object? Value)[] parameters) =>
        Assert.Single(await database.RowsAsync(sql, parameters));

    /// <summary>The first column of all rows as text; null stays null.</summary>
    private protected Task<List<string?>> ColumnAsync(string sql, params (string Name, object? Value)[] parameters) => database.QueryAsync(
        sql, reader => reader.IsDBNull(0) ? null : Convert.ToString(reader.GetValue(0), CultureInfo.InvariantCulture), parameters);

    /// <summary>Runs a statement that the database must refuse and returns the reason.</summary>
    private protected async Task<string> RefusedAsync(string sql) =>
        (await Assert.ThrowsAsync<PostgresException>(() => database.ExecuteAsync(sql))).SqlState;

    private static string Prefixed(string list) => list.Length == 0 ? "" : ", " + list;
}
