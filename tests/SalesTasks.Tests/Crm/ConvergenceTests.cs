using SalesTasks.Demo.Crm;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Crm;

public sealed class HubSpotConvergenceTests(TestDatabase database) : ConvergenceTests(database, "hubspot");

public sealed class SalesforceConvergenceTests(TestDatabase database) : ConvergenceTests(database, "salesforce");

/// <summary>
/// Whatever people edit, delete and merge on either side, and whatever goes wrong on the way: two quiet syncs later both sides hold the same,
/// every edit that did not survive is in the journal, and nothing is left to write.
/// </summary>
public abstract class ConvergenceTests(TestDatabase database, string crm) : IClassFixture<TestDatabase>
{
    private const int Leads = 10;
    private const int Epochs = 2;

    private static readonly (string Kind, string Ours, string Theirs, string[] OurValues, string[] TheirValues)[] s_fields =
    [
        ("lead", "first_name", "firstname", ["Ana", "Eva", "Luis"], ["Ana", "Eva", "Luis"]),
        ("lead", "last_name", "lastname", ["Gil", "Paz", ""], ["Gil", "Paz", ""]),
        ("lead", "phone", "phone", ["+34 1", "+34 2", ""], ["+34 1", "+34 2", ""]),
        ("lead", "company_name", "company", ["Acme", "Globex"], ["Acme", "Globex"]),
        ("deal", "stage", "dealstage", ["contacted", "negotiating", "closed_won"], ["qualifiedtobuy", "contractsent", "closedwon"]),
        ("deal", "estimated_value", "amount", ["10.00", "2500.50", ""], ["10", "2500.5", ""]),
        ("deal", "assigned_to", "hubspot_owner_id", ["rep@sales.example", "other@sales.example"], ["1", "2"]),
    ];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 12)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public async Task Sync_RandomEditsDeletesMergesAndFaults_BothSidesAgreeAndNothingIsLost(int seed)
    {
        var random = new Random(seed);
        await using var rig = new CrmRig(database, crm);
        await rig.EmptyAsync();
        await rig.AddAsync("cv", Leads);
        if (seed % 3 == 0 && rig.Theirs is HubSpotStand hubSpot)
        {
            hubSpot.Fake.JudgesEachRecord = false;
        }

        var world = new World(rig, random);
        for (var epoch = 0; epoch < Epochs; epoch++)
        {
            world.Edits.Clear();
            world.Before.Clear();
            for (var phase = 0; phase < 2; phase++)
            {
                await world.RememberAsync();
                var actions = random.Next(5, 15);
                for (var action = 0; action < actions; action++)
                {
                    await world.ActAsync(phase);
                }

                rig.Theirs.Disturb(random);
                rig.Theirs.Fault = request => random.NextDouble() < 0.12 ? (FakeFault)random.Next(1, 5) : FakeFault.None;
                await rig.PushAsync();
                await rig.PullAsync();
                // What a run that was killed in the middle leaves is taken over when its time is over.
                await rig.ExpireLeasesAsync();
            }

            rig.Theirs.Fault = null;
            rig.Theirs.Disturb(null);
            await rig.SyncAsync();
            await rig.SyncAsync();
            await world.CheckAsync($"seed {seed}, epoch {epoch}");

            var writes = rig.Theirs.WriteCalls;
            await rig.SyncAsync();
            Assert.Equal(writes, rig.Theirs.WriteCalls);
        }
    }

    /// <summary>What people did.</summary>
    private sealed class World(CrmRig rig, Random random)
    {
        private readonly HashSet<string> _exempt = new(StringComparer.Ordinal);
        private int _archivedContacts;
        private int _strangers;

        /// <summary>Edits of this epoch: lead and field, phase, side, value as HubSpot writes it.</summary>
        public List<(string Lead, string Field, int Phase, bool Ours, string Value)> Edits { get; } = [];

        /// <summary>Values before the edits of a phase: going back to one of them is no edit.</summary>
        public HashSet<(string Lead, string Field, bool Ours, string Value)> Before { get; } = [];

        public async Task RememberAsync()
        {
            foreach (var row in await OursAsync())
            {
                foreach (var (field, i) in s_fields.Select((f, i) => (f, i)))
                {
                    Before.Add((row[0], field.Ours, true, InTheirWords(field, row[1 + i])));
                    if (Theirs(field.Kind, row[0]) is { } record)
                    {
                        Before.Add((row[0], field.Ours, false, record.Properties.GetValueOrDefault(field.Theirs, "")));
                    }
                }
            }
        }

        private Task<List<string[]>> OursAsync() => rig.Database.QueryAsync(
            """
            SELECT l.ext_id, l.first_name, l.last_name, l.phone, l.company_name, p.stage::text, p.estimated_value::text, p.assigned_to
            FROM leads l JOIN sales_pipeline p ON p.lead_ext_id = l.ext_id
            """,
            row => Enumerable.Range(0, row.FieldCount).Select(i => row.IsDBNull(i) ? "" : row.GetString(i)).ToArray());

        public async Task ActAsync(int phase)
        {
            var lead = $"cv{random.Next(1, Leads + 1)}";
            switch (random.Next(20))
            {
                case 0:
                    await DeleteThereAsync(lead);
                    break;
                case 1:
                    await MergeThereAsync(lead);
                    break;
                case 2 when _strangers < 2:
                    _strangers++;
                    rig.Theirs.Edit("contacts", null, ("email", $"stranger{_strangers}@else.example"), ("firstname", "Nuevo"));
                    break;
                case 3 when _exempt.Count < 4:
                    _exempt.Add(lead);
                    await rig.Database.ExecuteAsync("DELETE FROM leads WHERE ext_id = @lead", ("lead", lead));
                    break;
                default:
                    await EditAsync(lead, phase);
                    break;
            }
        }

        private async Task EditAsync(string lead, int phase)
        {
            var field = s_fields[random.Next(s_fields.Length)];
            var value = random.Next(field.OurValues.Length);
            if (random.Next(2) == 0)
            {
                var table = field.Kind == "lead" ? "leads" : "sales_pipeline";
                var cast = field.Ours switch { "stage" => "::pipeline_stage", "estimated_value" => "::numeric", _ => "" };
                var done = await rig.Database.ExecuteAsync(
                    $"UPDATE {table} SET {field.Ours} = nullif(@value, ''){cast} WHERE {(field.Kind == "lead" ? "ext_id" : "lead_ext_id")} = @lead",
                    ("value", field.OurValues[value]), ("lead", lead));
                if (done > 0)
                {
                    Edits.Add((lead, field.Ours, phase, true, field.TheirValues[value]));
                }
            }
            else if (Theirs(field.Kind, lead) is { } record)
            {
                rig.Theirs.Edit(field.Kind == "lead" ? "contacts" : "deals", record.Id, (field.Theirs, field.TheirValues[value]));
                Edits.Add((lead, field.Ours, phase, false, field.TheirValues[value]));
            }
        }

        private Task DeleteThereAsync(string lead)
        {
            if (_archivedContacts < 2 && Theirs("lead", lead) is { } contact)
            {
                _archivedContacts++;
                _exempt.Add(lead);
                rig.Theirs.Archive("contacts", contact.Id);
            }

            return Task.CompletedTask;
        }

        private Task MergeThereAsync(string lead)
        {
            var other = $"cv{random.Next(1, Leads + 1)}";
            if (other != lead && Theirs("lead", lead) is { } winner && Theirs("lead", other) is { } loser && _exempt.Count < 6)
            {
                _exempt.Add(lead);
                _exempt.Add(other);
                rig.Theirs.Merge("contacts", winner.Id, loser.Id);
            }

            return Task.CompletedTask;
        }

        private StandRecord? Theirs(string kind, string lead) => rig.Theirs.Records(kind == "lead" ? "contacts" : "deals")
            .FirstOrDefault(r => r.Properties.GetValueOrDefault(kind == "lead" ? "salestasks_lead_id" : "salestasks_deal_id") == lead);

        public async Task CheckAsync(string where)
        {
            var pairs = await rig.Database.QueryAsync(
                """
                SELECT k.object, k.lead_ext_id, k.crm_id, l.first_name, l.last_name, l.phone, l.company_name, p.stage::text, p.estimated_value::text, p.assigned_to
                FROM crm_links k JOIN leads l ON l.ext_id = k.lead_ext_id LEFT JOIN sales_pipeline p ON p.lead_ext_id = l.ext_id
                WHERE k.status = 'active'
                """,
                row => Enumerable.Range(0, row.FieldCount).Select(i => row.IsDBNull(i) ? "" : row.GetString(i)).ToArray());
            var leads = rig.Theirs.Records("contacts").ToDictionary(r => r.Id);
            var deals = rig.Theirs.Records("deals").ToDictionary(r => r.Id);
            foreach (var pair in pairs)
            {
                Assert.True(pair[2] != "", $"{where}: {pair[0]} {pair[1]} is not in the CRM");
                Assert.True((pair[0] == "lead" ? leads : deals).TryGetValue(pair[2], out var record), $"{where}: {pair[0]} {pair[1]} is gone, and its link is not");
                foreach (var (field, i) in s_fields.Select((f, i) => (f, i)).Where(f => f.f.Kind == pair[0]))
                {
                    var ours = InTheirWords(field, pair[3 + i]);
                    var theirs = record.Properties.GetValueOrDefault(field.Theirs, "");
                    Assert.True(ours == theirs, $"{where}: {pair[1]}.{field.Ours} is '{ours}' here and '{theirs}' there");
                    await CheckJournalAsync(where, pair[1], field, ours);
                }
            }

            // Nothing twice, nobody back from the dead.
            Assert.Equal(leads.Count, leads.Values.Select(r => r.Properties.GetValueOrDefault("salestasks_lead_id") ?? r.Id).Distinct().Count());
            Assert.Equal(deals.Count, deals.Values.Select(r => r.Properties.GetValueOrDefault("salestasks_deal_id") ?? r.Id).Distinct().Count());
        }

        private async Task CheckJournalAsync(
            string where, string lead, (string Kind, string Ours, string Theirs, string[] OurValues, string[] TheirValues) of, string now)
        {
            var (field, theirField) = (of.Ours, of.Theirs);
            var edits = Edits.Where(e => e.Lead == lead && e.Field == field).ToList();
            if (edits.Count == 0 || _exempt.Contains(lead))
            {
                return;
            }

            // The last edit, and the last of the other side where no sync came between the two.
            var last = edits[^1];
            var kept = edits.Where(e => e == last || (e.Phase == last.Phase && e.Ours != last.Ours)).GroupBy(e => e.Ours).Select(g => g.Last());
            foreach (var edit in kept.Where(e => e.Value != now && !Before.Contains((lead, field, e.Ours, e.Value))))
            {
                var journaled = await rig.Database.ScalarAsync<long>(
                    """
                    SELECT count(*) FROM crm_conflicts
                    WHERE lead_ext_id = @lead AND field = @field AND CASE WHEN @ours THEN winner = 'theirs' AND coalesce(our_value, '') = @value
                      ELSE winner = 'ours' AND coalesce(their_value, '') = @value END
                    """,
                    ("lead", lead), ("field", field), ("ours", edit.Ours), ("value", rig.Theirs.Word(theirField, edit.Value)));
                Assert.True(journaled > 0, $"{where}: the edit of {lead}.{field} to '{edit.Value}' {(edit.Ours ? "here" : "there")} is lost, and not in the journal");
            }
        }

        private static string InTheirWords((string Kind, string Ours, string Theirs, string[] OurValues, string[] TheirValues) field, string value) => field.Ours switch
        {
            "stage" => value switch
            {
                "qualified" => "appointmentscheduled",
                "contacted" => "qualifiedtobuy",
                "negotiating" => "contractsent",
                _ => "closedwon",
            },
            "assigned_to" => value switch { "rep@sales.example" => "1", "other@sales.example" => "2", _ => "" },
            "estimated_value" => value.Length == 0 ? "" : decimal.Parse(value, System.Globalization.CultureInfo.InvariantCulture).ToString("0.##", System.Globalization.CultureInfo.InvariantCulture),
            _ => value,
        };
    }
}
