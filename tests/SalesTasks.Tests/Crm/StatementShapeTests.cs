using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Crm;

/// <summary>
/// What the statements read where the statistics are those of empty tables, as they are after the first push: what they are asked for, and
/// not every link for each of it. Without its OFFSET 0 each of those that have one fails here: holders, links_of and known handle 8,200 rows, the
/// others from 800,000; drop_staged with the ids as a list 4,000.
/// </summary>
public sealed class StatementShapeTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private const int Records = 4000;
    private const int Asked = 100;

    public async ValueTask InitializeAsync() => await database.ExecuteAsync(
        $$"""
        TRUNCATE crm_states, crm_links, crm_staged, crm_changes CASCADE;
        ALTER TABLE crm_links SET (autovacuum_enabled = false);
        ALTER TABLE crm_staged SET (autovacuum_enabled = false);
        ANALYZE crm_links;
        ANALYZE crm_staged;
        INSERT INTO crm_states (crm, used_at, scores_read_to) VALUES ('hubspot', now(), now());
        INSERT INTO crm_links (crm, object, key, lead_ext_id, crm_id, their_base)
        SELECT 'hubspot', o.object, 'lead-' || i, 'lead-' || i, i::text, jsonb_build_object('email', 'lead' || i || '@acme.example')
        FROM (VALUES ('lead'), ('deal')) AS o (object) CROSS JOIN generate_series(1, {{Records}}) AS i;
        INSERT INTO crm_staged (crm, object, crm_id, key, modified_at, merged_ids, properties)
        SELECT crm, object, crm_id, key, now(), ARRAY['gone-' || crm_id], their_base FROM crm_links;
        """);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData("crm/unrelated", Asked)]
    [InlineData("crm/match_links", Asked)]
    [InlineData("crm/holders", Asked)]
    [InlineData("crm/links_of", Asked)]
    [InlineData("crm/known", Asked)]
    [InlineData("crm/drop_seen", Asked)]
    [InlineData("crm/drop_staged", Asked)]
    [InlineData("crm/staged_volume", Records)]
    public async Task Statement_AfterTheFirstPush_ReadsWhatItIsAskedFor(string statement, int asked)
    {
        var plan = await QueryPlan.OfAsync(
            database,
            statement,
            ("crm", "hubspot"),
            ("object", "lead"),
            ("status", "active"),
            ("limit", asked),
            ("modified", Enumerable.Repeat(new DateTime(2100, 1, 1, 0, 0, 0, DateTimeKind.Utc), Asked).ToArray()),
            ("token", Guid.Empty),
            ("lease", 60.0),
            ("crm_ids", Enumerable.Range(1, Asked).Select(i => $"{i}").ToArray()));

        Assert.InRange(plan.Work, asked, 20 * asked);
    }
}
