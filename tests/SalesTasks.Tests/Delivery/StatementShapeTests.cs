using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Delivery;

/// <summary>What it costs to find the next messages, in rows the plan handles: so many for each that is taken, however many wait.</summary>
public sealed class StatementShapeTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    private const int Waiting = 4_000;
    private const int Limit = 64;

    private static readonly DateTimeOffset T0 = new(2026, 3, 16, 10, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task LockDue_ManyMessagesWait_HandlesAFewRowsForEachItTakes(int perLead)
    {
        await database.WorkAtAsync(T0);
        await database.ExecuteAsync("TRUNCATE leads, outbox_messages CASCADE");
        await database.ExecuteAsync(
            """
            INSERT INTO leads (ext_id, source, email) SELECT 'q' || i, 'x', 'q' || i || '@acme.example' FROM generate_series(1, @waiting / @each) AS i;
            INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, recipient, payload, not_before, created_at)
            SELECT l.ext_id || '/' || n, 'email', 'followup', l.ext_id, l.email, '{}', @now - interval '1 hour', @now - interval '1 hour'
            FROM generate_series(1, @each) AS n, leads l;
            """,
            ("waiting", Waiting), ("each", perLead), ("now", T0));
        foreach (var state in (string[])["never analysed", "analysed"])
        {
            var plan = await QueryPlan.OfAsync(database, "delivery/lock_due", ("channel", "email"), ("limit", Limit));
            Assert.True(plan.Work <= 20 * Limit, $"{state}: {plan.Work} rows handled to take {Limit} of {Waiting}.\n{plan.Text}");
            await database.ExecuteAsync("ANALYZE outbox_messages");
        }
    }
}
