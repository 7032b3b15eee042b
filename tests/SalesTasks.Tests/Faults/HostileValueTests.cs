using System.Globalization;

namespace SalesTasks.Tests.Faults;

/// <summary>
/// Hostile values in every column of text, JSON, number or time that takes them, as people, imports and other programs may have put them there:
/// each job still does its work. A row that cannot be used is passed over or recorded; it stops no other.
/// </summary>
[Collection("Faults")]
public sealed class HostileValueTests(FaultWorld world, ITestOutputHelper output)
{
    /// <summary>The contract's tables and what feeds them.</summary>
    private static readonly string[] s_tables =
    [
        "leads", "lead_scores", "sales_pipeline", "sales_followup_tasks", "sales_campaigns", "sales_campaign_executions", "sales_campaign_events", "sales_reps",
        "lead_engagement_events", "sales_stage_history", "outbox_messages", "sales_rep_absences", "lead_aliases",
    ];

    private static readonly string[] s_texts =
    [
        "", " ", "\t\n\r", new('x', 10_000), new('ñ', 100_000), new('x', 1_000_000), @"\u0000", "%00", "\u0001\u001b[31m", "\ufffe\uffff", "\u202egnp.exe\u202c", "שלום عليكم",
        "👩‍👩‍👧‍👦🏳️‍🌈", "e\u0301\u0301\u0301\u0301", "'; DROP TABLE leads; --", "\"\\\"", "$1 $$ $x$", "<script>alert(1)</script><!--", "]]>&amp;&#0;", "=cmd|' /C calc'!A0", "+1+1", "@SUM(1)", "-1",
        "<!channel> <@U1> *_~`", "{{ 7 | times: 7 }}{% for x in (1..9999999) %}x{% endfor %}", "{{ lead.first_name", "${jndi:ldap://x}", "../../etc/passwd", "a@b@c", "@", "a@b.example\r\nBcc: all@c.example",
        "null", "NaN", "Infinity", "-1e309", "9223372036854775808", "0x10", "٣٤", "2026-02-30", "America/Nowhere", "true", "%s%n", "{0}", "[]", "{}",
    ];

    private static readonly string[] s_documents =
    [
        "null", "true", "0", "-1e308", "123456789012345678901234567890.5", "\"text\"", "\"\\u202e\\ud83d\\ude00\"", "[]", "[null]", "[[[[[[]]]]]]", "{}", "{\"\": \"\"}",
        "{\"stage\": {\"stage\": []}}", "[{\"type\": \"email\", \"delay_hours\": 1e300, \"subject\": \"{{\", \"body\": \"{% if %}\"}]", "[{\"type\": 7, \"delay_hours\": \"x\"}]",
        "{\"ml_predictions\": \"no object\"}", "{\"ml_predictions\": {\"probability\": \"NaN\", \"risk_score\": [1]}}", "{\"stop_reason\": [1, 2]}", "{\"execution_id\": \"no number\"}",
        "{\"to\": [], \"subject\": null, \"text\": {\"a\": 1}, \"blocks\": \"none\"}", "{\"score_min\": \"high\", \"unknown\": true}",
    ];

    private static readonly string[] s_numbers = ["0", "-1", "2147483647", "-2147483648", "9999999999.99", "-9999999999.99", "NaN", "0.0000001", "1e100"];

    private static readonly string[] s_instants = ["infinity", "-infinity", "0001-01-01", "9999-12-31 23:59:59+00", "4714-11-24 00:00:00+00 BC", "294276-12-31", "1970-01-01"];

    /// <summary>How often a value goes into a column, each time into another row.</summary>
    private static int Rounds => FaultPlan.Everything ? 6 : 1;

    [Fact]
    public async Task Jobs_OnHostileValues_DoTheirWorkAndSinkForNoRow()
    {
        await world.StartedAsync();
        var failures = new List<string>();
        var put = 0;
        for (var round = 0; round < Rounds; round++)
        {
            await using var trial = await Trial.PrepareAsync(world, Scene.All[0], idempotent: true);
            put += await PutAsync(trial, round);
            foreach (var scene in Scene.All)
            {
                var answer = await trial.Place.RunAsync(scene);
                if (answer.ExitCode is not ExitCode.Done)
                {
                    failures.Add($"{scene}, round {round}: {answer.ToString()[..Math.Min(6000, answer.ToString().Length)]}");
                }

                output.WriteLine($"{scene}: {(int)answer.ExitCode} {answer.Counts}");
            }

            failures.AddRange((await trial.FindingsAsync()).Where(finding => finding.Contains("could not run", StringComparison.Ordinal)));
        }

        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{put} hostile values put, seed {FaultPlan.Seed}"));
        Assert.True(failures.Count == 0, string.Join("\n\n", failures));
        Assert.True(put > 200 * Rounds, $"Only {put} hostile values were taken.");
    }

    /// <summary>Puts each value into each column that takes it, each into another row, and tells how many.</summary>
    private static async Task<int> PutAsync(Trial trial, int round)
    {
        await using var connection = await trial.ConnectAsync();
        await using var command = new Npgsql.NpgsqlCommand(
            """
            CREATE TEMP TABLE hostile (kind text, value text);
            INSERT INTO hostile SELECT 'text', v FROM unnest(@texts) AS v;
            INSERT INTO hostile SELECT 'document', v FROM unnest(@documents) AS v;
            INSERT INTO hostile SELECT 'number', v FROM unnest(@numbers) AS v;
            INSERT INTO hostile SELECT 'instant', v FROM unnest(@instants) AS v;
            """,
            connection);
        command.Parameters.AddWithValue("texts", s_texts);
        command.Parameters.AddWithValue("documents", s_documents);
        command.Parameters.AddWithValue("numbers", s_numbers);
        command.Parameters.AddWithValue("instants", s_instants);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await Trial.ExecuteAsync(
            connection,
            $$"""
            CREATE TEMP TABLE put (table_name text, column_name text, value text);
            DO $do$
            DECLARE
              place record;
              hostile_value record;
              number int := {{(FaultPlan.Seed * 1000) + (round * 7919)}};
              rows int;
            BEGIN
              FOR place IN
                SELECT c.table_name, c.column_name, format_type(a.atttypid, a.atttypmod) AS type, c.character_maximum_length AS longest,
                  CASE
                    WHEN c.data_type IN ('text', 'character varying') THEN 'text'
                    WHEN c.data_type = 'jsonb' THEN 'document'
                    WHEN c.data_type IN ('integer', 'numeric', 'double precision') THEN 'number'
                    WHEN c.data_type = 'timestamp with time zone' THEN 'instant'
                  END AS kind
                FROM information_schema.columns c
                JOIN pg_attribute a ON a.attrelid = format('%I.%I', c.table_schema, c.table_name)::regclass AND a.attname = c.column_name
                WHERE c.table_schema = current_schema() AND c.table_name IN ({{string.Join(", ", s_tables.Select(table => $"'{table}'"))}})
                  AND c.is_generated = 'NEVER' AND c.is_identity = 'NO'
                ORDER BY c.table_name, c.ordinal_position
              LOOP
                FOR hostile_value IN SELECT h.value FROM hostile h WHERE h.kind = place.kind LOOP
                  number := number + 1;
                  BEGIN
                    EXECUTE format(
                      'UPDATE %1$I SET %2$I = %3$s::%4$s WHERE ctid = (SELECT ctid FROM %1$I ORDER BY md5(ctid::text || %5$L) LIMIT 1)',
                      place.table_name, place.column_name,
                      quote_literal(CASE WHEN place.longest IS NULL THEN hostile_value.value ELSE left(hostile_value.value, place.longest) END),
                      place.type, number);
                    GET DIAGNOSTICS rows = ROW_COUNT;
                    IF rows > 0 THEN
                      INSERT INTO put VALUES (place.table_name, place.column_name, left(hostile_value.value, 40));
                    END IF;
                  EXCEPTION WHEN OTHERS THEN
                    NULL; -- The schema refuses it: it cannot get there.
                  END;
                END LOOP;
              END LOOP;
            END
            $do$
            """);
        await using var count = new Npgsql.NpgsqlCommand("SELECT count(*) FROM put", connection);
        return (int)(long)(await count.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }
}
