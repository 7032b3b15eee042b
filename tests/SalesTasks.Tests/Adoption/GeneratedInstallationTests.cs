using System.Globalization;
using System.Text;
using SalesTasks.Adoption;
using SalesTasks.Tests.TestBase;
using SalesTasks.Tests.Validation;

namespace SalesTasks.Tests.Adoption;

/// <summary>Installations made by chance: whatever types, columns and values they have, adoption succeeds, loses no row and is the same every time.</summary>
public sealed class GeneratedInstallationTests(PostgresServer server)
{
    private static readonly string[] s_texts =
    [
        "NULL", "''", "' '", "'x'", "'high'", "'Won'", "'qualified'", "'done'", "'email'", "E'\\x01\\x1f'", "repeat('long', 200)", "'é ñ Ã© 漢字'", "'1,234.5'", "'-1'", "'NaN'",
        "'1e400'", "'2024-02-31'", "'2024-05-05T10:00:00+02:00'", "'infinity'", "'1704880000'", "'{\"a\": 1}'", "'[1]'", "'{\"u\": \"\\u0000\"}'", "'null'", "'true'", "'lead-1'", "'lead-2'", "'LEAD@acme.example'",
    ];

    private static readonly Dictionary<string, string[]> s_values = new(StringComparer.Ordinal)
    {
        ["text"] = s_texts,
        ["varchar(300)"] = ["NULL", "''", "'low'", "'lead-1'", "'lead-3'", "'proposal'", "repeat('v', 300)", "'active'"],
        ["int"] = ["NULL", "0", "1", "2", "3", "-5", "150", "2147483647"],
        ["bigint"] = ["NULL", "1", "2", "9223372036854775807"],
        ["numeric"] = ["NULL", "1.005", "-3", "'NaN'", "99999999999999999999", "1"],
        ["float8"] = ["NULL", "0.1", "'Infinity'", "1e308", "2"],
        ["money"] = ["NULL", "12.5", "-3"],
        ["boolean"] = ["NULL", "true", "false"],
        ["timestamp"] = ["NULL", "'2024-01-01 10:00'", "'infinity'", "'0044-03-15 BC'", "'2999-01-01'", "'2026-01-30'"],
        ["timestamptz"] = ["NULL", "'2024-01-01 10:00Z'", "'-infinity'", "'2027-01-01Z'"],
        ["date"] = ["NULL", "'2024-01-01'", "'infinity'"],
        ["jsonb"] = ["NULL", "'{}'", "'[1, 2]'", "'\"text\"'", "'{\"steps\": [1]}'", "'null'"],
        ["json"] = ["NULL", "'{\"u\": \"\\u0000\"}'", "'[]'", "'{}'"],
        ["uuid"] = ["NULL", "'00000000-0000-0000-0000-000000000001'"],
        ["text[]"] = ["NULL", "'{a,b}'"],
    };

    private static readonly Dictionary<string, string> s_columns = new(StringComparer.Ordinal)
    {
        ["leads"] = "source first_name last_name email phone score priority utm_source utm_campaign created_at updated_at company_name consent_email estimated_value attributes lead_id domain",
        ["lead_score_history"] = "id score previous_score priority score_change scoring_factors calculated_at calculated_by",
        ["sales_pipeline"] = "id email first_name score priority source stage assigned_to qualified_at first_contact_at last_contact_at next_followup_at closed_at estimated_value probability_pct notes metadata created_at updated_at reassignments",
        ["sales_followup_tasks"] = "id pipeline_id task_type task_title status priority assigned_to due_date completed_at completed_by metadata created_at updated_at",
        ["sales_campaigns"] = "id name description campaign_type trigger_criteria steps_config enabled max_leads_per_run created_at updated_at",
        ["sales_campaign_executions"] = "id campaign_id pipeline_id status current_step total_steps started_at completed_at next_action_at metadata created_at updated_at",
        ["sales_campaign_events"] = "id execution_id step_number event_type status executed_at metadata created_at",
    };

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public async Task Adopt_InstallationMadeByChance_SucceedsLosesNoRowAndIsDeterministic(int seed)
    {
        var script = Script(new Random(seed));
        var (first, second) = (await AdoptAsync(script), await AdoptAsync(script));

        Assert.Equal(first, second);
    }

    private async Task<IReadOnlyDictionary<string, string>> AdoptAsync(string script)
    {
        await using var database = await AdoptRig.EmptyAsync(server);
        await database.WorkAtAsync(AdoptRig.Present);
        await database.ExecuteAsync(script);
        var old = new Dictionary<string, long>(StringComparer.Ordinal);
        foreach (var table in AdoptDatabase.Tables)
        {
            old[table] = await database.ScalarAsync<long>($"SELECT count(*) FROM {table}");
        }

        var report = await AdoptRig.AdoptAsync(database);

        Assert.All(report.Tables, table => Assert.True(table.Old == old[table.Name] && table.Old == table.Adopted + table.SetAside, table.ToString()));
        // Every old key is a new one, or that of a row set aside.
        Assert.Equal(0, await database.ScalarAsync<long>(
            """
            SELECT count(*) FROM public_before.leads o
            WHERE o.ext_id IS NOT NULL AND NOT EXISTS (SELECT FROM leads l WHERE l.ext_id = adoption_key(o.ext_id::text))
              AND NOT EXISTS (SELECT FROM adoption_findings f WHERE f.table_name = 'leads' AND f.old_row ->> 'ext_id' = o.ext_id::text)
            """));
        Assert.Empty(report.Findings.Select(finding => finding.Rule).Except(AdoptionWords.Rules));
        var unsound = (await Sound.FindAsync(database, AdoptRig.Present)).Where(finding => finding.Severity is "error").ToList();
        Assert.True(unsound.Count == 0, string.Join('\n', unsound));
        return await database.FingerprintAsync("schema_migrations", "audit_log", "adoptions", "experiments", "scoring_rules", "sending_policy", "time_zones", "sales_stage_history");
    }

    private static string Script(Random random)
    {
        var script = new StringBuilder();
        string Pick(string[] from) => from[random.Next(from.Length)];
        foreach (var (table, columns) in s_columns)
        {
            // The key of leads, references to leads, and a column of their own.
            var key = table == "leads" ? "ext_id" : "lead_ext_id";
            var types = columns.Split(' ').Where(_ => random.Next(8) > 0).ToDictionary(
                column => column,
                column => column.EndsWith("id", StringComparison.Ordinal) && column != "lead_id" ? Pick(["int", "bigint", "numeric", "text", "float8"])
                    : random.Next(3) == 0 ? "text" : Pick([.. s_values.Keys]),
                StringComparer.Ordinal);
            types[key] = "text";
            types["own_column"] = Pick([.. s_values.Keys]);
            script.AppendLine(CultureInfo.InvariantCulture, $"CREATE TABLE {table} ({string.Join(", ", types.Select(type => $"{type.Key} {type.Value}"))});");
            for (var row = 1; row <= 25; row++)
            {
                var values = types.Select(type => type.Key switch
                {
                    "ext_id" or "lead_ext_id" => random.Next(10) == 0 ? Pick(["NULL", "''", "repeat('k', 200)"]) : $"'lead-{random.Next(1, 20)}'",
                    _ when type.Key.EndsWith("id", StringComparison.Ordinal) && type.Key != "lead_id" && random.Next(8) > 0 => $"'{random.Next(1, 30)}'",
                    _ => Pick(s_values[type.Value]),
                });
                script.AppendLine(CultureInfo.InvariantCulture, $"INSERT INTO {table} ({string.Join(", ", types.Keys)}) VALUES ({string.Join(", ", values)});");
            }
        }

        return script.ToString();
    }
}
