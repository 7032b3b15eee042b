using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace SalesTasks.Benchmarks;

/// <summary>
/// Enrolling and advancing every lead, against what cannot be beaten (the bare inserts of the same rows) and against what row-by-row
/// systems do (a transaction an execution: read, insert event and message, move on).
/// </summary>
[SuppressMessage("Security", "CA2100:Review SQL queries for security vulnerabilities", Justification = "Fixed texts with a size.")]
internal static class CampaignBenchmark
{
    private const int LoopExecutions = 1_000;

    private const string Steps =
        """
        [{"type": "email", "subject": {"en": "Hello {{ first_name }}", "es": "Hola {{ first_name }}"},
          "html": {"en": "<p>Hi {{ first_name }},</p><p>how is {{ company_name }} doing with {{ product_interest }}?</p><p>{{ rep_name }}</p>",
                   "es": "<p>Hola {{ first_name }}:</p><p>¿cómo va {{ company_name }} con {{ product_interest }}?</p><p>{{ rep_name }}</p>"},
          "variants": [{"name": "A"}, {"name": "B", "subject": {"en": "{{ company_name }} and you", "es": "{{ company_name }} y tú"}}]},
         {"type": "email", "delay_hours": 48, "subject": "Second", "body": "Still there, {{ first_name }}?"}]
        """;

    public static async Task RunAsync(int leads, CancellationToken cancellationToken)
    {
        await using var bench = await Bench.StartAsync(cancellationToken);
        await LoadAsync(bench, leads, cancellationToken);
        Console.WriteLine($"\ncampaigns, {leads:N0} leads");

        long enrollMemory = 0, advanceMemory = 0;
        Report("campaigns enroll, all leads", leads, await bench.MeasureAsync(
            async () => enrollMemory = await bench.RunProgramAsync(cancellationToken, "campaigns", "enroll"), cancellationToken), enrollMemory);
        await SettleAsync(bench, cancellationToken);
        var first = await bench.MeasureAsync(
            async () => advanceMemory = await bench.RunProgramAsync(cancellationToken, "campaigns", "advance"), cancellationToken);
        Report("campaigns advance, first step of all", leads, first, advanceMemory);
        await SettleAsync(bench, cancellationToken);
        Report("campaigns advance, all waiting, nothing due", leads, await bench.MeasureAsync(
            async () => advanceMemory = await bench.RunProgramAsync(cancellationToken, "campaigns", "advance"), cancellationToken), advanceMemory);
        await bench.ExecuteAsync(
            "UPDATE outbox_messages SET status = 'sent', sent_at = now() - interval '3 days', finished_at = now()", cancellationToken);
        await SettleAsync(bench, cancellationToken);
        Report("campaigns advance, all sent: settled, second step", leads, await bench.MeasureAsync(
            async () => advanceMemory = await bench.RunProgramAsync(cancellationToken, "campaigns", "advance"), cancellationToken), advanceMemory);

        // The same rows once more, from the tables themselves: no deciding, no rendering, nothing over the wire.
        var bare = await bench.MeasureAsync(
            () => bench.ExecuteAsync(
                """
                INSERT INTO sales_campaign_events (execution_id, lead_ext_id, step_number, event_type, metadata, created_at)
                SELECT execution_id, lead_ext_id, 101, event_type, metadata, created_at FROM sales_campaign_events WHERE step_number = 1;
                INSERT INTO outbox_messages (
                  idempotency_key, channel, purpose, lead_ext_id, execution_id, step_number, campaign_event_id, recipient, payload, time_zone,
                  window_days, window_start, window_end)
                SELECT 'copy:' || idempotency_key, channel, purpose, lead_ext_id, execution_id, 101, campaign_event_id, recipient, payload, time_zone,
                  window_days, window_start, window_end
                FROM outbox_messages WHERE step_number = 1;
                UPDATE sales_campaign_executions SET current_step = current_step, next_action_at = now()
                """,
                cancellationToken),
            cancellationToken);
        Report("bare inserts and update of the same rows", leads, bare, null);
        Console.WriteLine($"    first step against bare: {bare.Seconds / first.Seconds:P0}");

        var loop = await bench.MeasureAsync(() => LoopAsync(bench, cancellationToken), cancellationToken);
        Console.WriteLine(
            $"  {"row-by-row client loop",-58} {LoopExecutions / loop.Seconds,10:N0} executions/s; advance is {leads / first.Seconds / (LoopExecutions / loop.Seconds):0.0}x as fast");
    }

    private static async Task LoadAsync(Bench bench, int leads, CancellationToken cancellationToken)
    {
        await bench.ExecuteAsync(
            $"""
            INSERT INTO leads (ext_id, source, first_name, last_name, email, phone, company_name, language, time_zone)
            SELECT 'lead-' || lpad(i::text, 9, '0'), 'organic', CASE WHEN i % 17 <> 0 THEN 'First' || (i % 5000) END, 'Last' || (i % 7919),
              'user' || i || '@acme.example', '+34 600 ' || lpad((i % 1000000)::text, 6, '0'), 'Company ' || (i % 3000),
              (ARRAY['en', 'es', 'fr'])[1 + i % 3], (ARRAY['Europe/Madrid', 'America/New_York', 'Asia/Tokyo', NULL])[1 + i % 4]
            FROM generate_series(1, {leads}) AS i;
            INSERT INTO sales_pipeline (lead_ext_id, email, first_name, last_name, score, priority, assigned_to)
            SELECT ext_id, email, first_name, last_name, 50 + lead_id % 50, 'high', 'rep' || (lead_id % 50) || '@sales.example' FROM leads;
            INSERT INTO sales_reps (email, name) SELECT 'rep' || i || '@sales.example', 'Rep ' || i FROM generate_series(0, 49) AS i;
            INSERT INTO lead_engagement_events (lead_ext_id, event_type, occurred_at)
            SELECT ext_id, (ARRAY['click', 'open', 'reply'])[1 + lead_id % 3], now() - interval '30 days' FROM leads;
            INSERT INTO suppressions (address_hash, channel, reason)
            SELECT address_hash('email', 'gone' || i || '@acme.example'), 'email', 'opt_out' FROM generate_series(1, {leads / 10}) AS i
            """,
            cancellationToken);
        await using var connection = await bench.OpenConnectionAsync(cancellationToken);
        await using var campaign = new NpgsqlCommand(
            "INSERT INTO sales_campaigns (name, campaign_type, steps_config, max_leads_per_run) VALUES ('Bench', 'email_sequence', $1::jsonb, 0)", connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = Steps } },
        };
        await campaign.ExecuteNonQueryAsync(cancellationToken);
        await SettleAsync(bench, cancellationToken);
    }

    private static async Task SettleAsync(Bench bench, CancellationToken cancellationToken)
    {
        foreach (var table in (string[])["leads", "sales_pipeline", "sales_campaign_executions", "sales_campaign_events", "outbox_messages", "lead_engagement_events", "suppressions"])
        {
            await bench.ExecuteAsync($"VACUUM (ANALYZE) {table}", cancellationToken);
        }

        await bench.ExecuteAsync("CHECKPOINT", cancellationToken);
    }

    /// <summary>What row-by-row systems do for each execution, in a transaction of its own.</summary>
    private static async Task LoopAsync(Bench bench, CancellationToken cancellationToken)
    {
        await using var connection = await bench.OpenConnectionAsync(cancellationToken);
        var ids = new List<long>();
        await using (var due = new NpgsqlCommand($"SELECT id FROM sales_campaign_executions ORDER BY id LIMIT {LoopExecutions}", connection))
        await using (var reader = await due.ExecuteReaderAsync(cancellationToken))
        {
            while (await reader.ReadAsync(cancellationToken))
            {
                ids.Add(reader.GetInt64(0));
            }
        }

        foreach (var id in ids)
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            string? lead;
            await using (var facts = new NpgsqlCommand("SELECT l.ext_id, l.first_name, l.email FROM sales_campaign_executions e JOIN leads l ON l.ext_id = e.lead_ext_id WHERE e.id = $1 FOR UPDATE OF e", connection)
            {
                Parameters = { new NpgsqlParameter<long> { TypedValue = id } },
            })
            {
                lead = (string?)await facts.ExecuteScalarAsync(cancellationToken);
            }

            await using (var record = new NpgsqlCommand("INSERT INTO sales_campaign_events (execution_id, lead_ext_id, step_number, event_type) VALUES ($1, $2, 9, 'email_sent') RETURNING id", connection)
            {
                Parameters = { new NpgsqlParameter<long> { TypedValue = id }, new NpgsqlParameter<string> { TypedValue = lead! } },
            })
            {
                await record.ExecuteScalarAsync(cancellationToken);
            }

            await using (var message = new NpgsqlCommand(
                "INSERT INTO outbox_messages (idempotency_key, channel, purpose, lead_ext_id, execution_id, step_number, recipient, payload) VALUES ('loop:' || $1, 'email', 'campaign', $2, $1, 9, 'x@acme.example', '{}')", connection)
            {
                Parameters = { new NpgsqlParameter<long> { TypedValue = id }, new NpgsqlParameter<string> { TypedValue = lead! } },
            })
            {
                await message.ExecuteNonQueryAsync(cancellationToken);
            }

            await using (var move = new NpgsqlCommand("UPDATE sales_campaign_executions SET current_step = current_step + 1, next_action_at = now() WHERE id = $1", connection)
            {
                Parameters = { new NpgsqlParameter<long> { TypedValue = id } },
            })
            {
                await move.ExecuteNonQueryAsync(cancellationToken);
            }

            await transaction.CommitAsync(cancellationToken);
        }
    }

    private static void Report(string what, int leads, Measured measured, long? memory) => Console.WriteLine(
        $"  {what,-58} {leads / measured.Seconds,10:N0} leads/s {measured.Seconds,8:0.00} s {measured.WalBytes / (double)leads,7:0} WAL B/lead"
        + (memory is { } bytes ? $" {bytes / 1e6,6:0} MB peak" : ""));
}
