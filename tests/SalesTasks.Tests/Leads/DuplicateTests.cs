using Npgsql;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Leads;

/// <summary>People that come in a second time under another id.</summary>
public sealed class DuplicateTests : IClassFixture<TestDatabase>, IDisposable
{
    private readonly TestDatabase _database;
    private readonly ImportRunner _runner;

    public DuplicateTests(TestDatabase database)
    {
        _database = database;
        _runner = new ImportRunner(database);
    }

    public void Dispose() => _runner.Dispose();

    [Fact]
    public async Task Merge_SameEmail_FillsWhatIsMissingAndRemembersTheId()
    {
        await _runner.ImportTextAsync("ext_id,source,email,first_name,phone,demo_requested,tier\nm-1,crm,Ana@Merge.example,Ana,,no,a\n");

        var outcome = await _runner.ImportTextAsync(
            "ext_id,source,email,first_name,phone,demo_requested,tier,colour\nm-2,webinar,ana@merge.example,Anita,600 11 22 33,yes,b,blue\n");

        Assert.Equal("rows 1, merged 1", outcome.Counts);
        var lead = Assert.Single(await _database.RowsAsync("SELECT * FROM leads WHERE lower(email) = 'ana@merge.example'"));
        Assert.Equal(("m-1", "crm", "Ana", "600 11 22 33", true), (lead["ext_id"], lead["source"], lead["first_name"], lead["phone"], lead["demo_requested"]));
        Assert.Equal("""{"tier": "a", "colour": "blue"}""", lead["attributes"]);
        Assert.Equal(["m-2 → m-1 by email"], await AliasesAsync("m-%"));
    }

    [Fact]
    public async Task Merge_LaterRowsUnderTheAlias_ReachTheLead()
    {
        await _runner.ImportTextAsync("ext_id,source,email\nl-1,crm,l1@later.example\nl-2,crm,l1@later.example\n");

        var outcome = await _runner.ImportTextAsync("ext_id,source,email,country\nl-2,crm,other@later.example,Peru\n");

        Assert.Equal("rows 1, updated 1", outcome.Counts);
        var lead = Assert.Single(await _database.RowsAsync("SELECT ext_id, email, country FROM leads WHERE ext_id LIKE 'l-%'"));
        Assert.Equal(("l-1", "l1@later.example", "Peru"), (lead["ext_id"], lead["email"], lead["country"]));
    }

    [Fact]
    public async Task Merge_WithinOneFile_IsFirstComeAndStableOnReimport()
    {
        var path = _runner.Write(
            "w.csv",
            """
            ext_id,source,email,phone,first_name,last_name,consent_email,website_visited
            w-1,a,w@within.example,,Wanda,,yes,no
            w-2,b,W@within.example,+1 555 777 8888,,,no,yes
            w-3,c,,(1) 555-777-8888,wanda,Li,,
            w-4,d,w4@within.example,15557778888,Wanda,,,
            w-5,e,,15557778888,Otto,,,
            """);

        var first = await _runner.ImportAsync(path);
        var before = await _database.FingerprintAsync("task_runs");
        var second = await _runner.ImportAsync(path, "--as-of", "2026-03-09T00:00:00Z");

        Assert.Equal("rows 5, inserted 3, merged 2", first.Counts);
        Assert.Equal(["w-2 → w-1 by email", "w-3 → w-1 by phone"], await AliasesAsync("w-%"));
        var lead = Assert.Single(await _database.RowsAsync("SELECT * FROM leads WHERE ext_id = 'w-1'"));
        Assert.Equal(("a", "+1 555 777 8888", "Wanda", "Li"), (lead["source"], lead["phone"], lead["first_name"], lead["last_name"]));
        // A refusal counts whoever's row it came with; what was visited was visited.
        Assert.Equal((false, true), (lead["consent_email"], lead["website_visited"]));
        Assert.Equal("rows 5, unchanged 5", second.Counts);
        Assert.Equal(before, await _database.FingerprintAsync("task_runs"));
    }

    [Fact]
    public async Task Keep_SameEmail_OnlyRemembersTheId()
    {
        await _runner.ImportTextAsync("ext_id,source,email\nk-1,crm,k@keep.example\n");

        var first = await _runner.ImportTextAsync("ext_id,source,email,country\nk-2,web,k@keep.example,Peru\n", "--on-duplicate", "keep");
        var second = await _runner.ImportTextAsync("ext_id,source,email,country\nk-2,web,k@keep.example,Peru\n", "--on-duplicate", "keep");

        Assert.Equal(("rows 1, merged 1", "rows 1, unchanged 1"), (first.Counts, second.Counts));
        Assert.Equal(["k-2 → k-1 by email"], await AliasesAsync("k-%"));
        Assert.Null(await _database.ScalarAsync<string>("SELECT country FROM leads WHERE ext_id = 'k-1'"));
    }

    [Fact]
    public async Task Separate_SameEmail_MakesASecondLead()
    {
        var outcome = await _runner.ImportTextAsync("ext_id,source,email\ns-1,crm,s@sep.example\ns-2,web,s@sep.example\n", "--on-duplicate", "separate");

        Assert.Equal("rows 2, inserted 2", outcome.Counts);
        Assert.Empty(await AliasesAsync("s-%"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Reject_SameEmail_GoesToTheRejectFile(bool dryRun)
    {
        var path = _runner.Write("r.csv", $"ext_id,source,email\nr{dryRun}-1,crm,r@rej{dryRun}.example\nr{dryRun}-2,web,r@rej{dryRun}.example\n");

        var outcome = await _runner.ImportAsync(path, "--on-duplicate", "reject", "--dry-run=" + (dryRun ? "true" : "false"));

        Assert.Equal("rows 2, inserted 1, rejected 1", outcome.Counts);
        Assert.Empty(await AliasesAsync("r%"));
        if (!dryRun)
        {
            Assert.Contains($"r.csv,3,is a duplicate of another lead (on_duplicate is reject),\"r{dryRun}-2,", await File.ReadAllTextAsync(
                outcome.RejectFile!, TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("auto", 2)]
    [InlineData("email", 2)]
    [InlineData("email_or_phone", 1)]
    public async Task Match_SamePhoneWithoutName_DependsOnTheRule(string match, int leads)
    {
        await _runner.ImportTextAsync($"ext_id,source,phone\np{match}-1,crm,600 {match.Length:000} 123\np{match}-2,web,600{match.Length:000}123\n", "--match", match);

        Assert.Equal(leads, await _database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE ext_id LIKE @id", ("id", $"p{match}-%")));
    }

    [Fact]
    public async Task Merge_SeveralLeadsWithTheAddress_TakesTheOldest()
    {
        await _database.ExecuteAsync("INSERT INTO leads (ext_id, source, email) VALUES ('o-1', 'x', 'o@old.example'), ('o-2', 'x', 'o@old.example')");

        await _runner.ImportTextAsync("ext_id,source,email\no-3,web,o@old.example\n");

        Assert.Equal(["o-3 → o-1 by email"], await AliasesAsync("o-%"));
    }

    [Fact]
    public async Task Import_LeadInsertedMeanwhile_IsUpdatedAndNotLost()
    {
        await using var other = await _database.OpenConnectionAsync();
        await using var transaction = await other.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var insert = new NpgsqlCommand("INSERT INTO leads (ext_id, source) VALUES ('race-1', 'other')", other))
        {
            await insert.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var import = _runner.ImportTextAsync("ext_id,source,country\nrace-1,web,Peru\nrace-2,web,Chile\n");
        await Eventually.HoldsAsync("the import waits for the other writer", async () => await _database.ScalarAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock' AND wait_event = 'transactionid'") > 0);
        await transaction.CommitAsync(TestContext.Current.CancellationToken);

        Assert.Equal("rows 2, inserted 1, updated 1", (await import).Counts);
        Assert.Equal("Peru", await _database.ScalarAsync<string>("SELECT country FROM leads WHERE ext_id = 'race-1'"));
    }

    [Fact]
    public async Task Alias_LeadDeleted_GoesWithIt()
    {
        await _runner.ImportTextAsync("ext_id,source,email\nd-1,crm,d@del.example\nd-2,web,d@del.example\n");
        await _database.ExecuteAsync("DELETE FROM leads WHERE ext_id = 'd-1'");

        var outcome = await _runner.ImportTextAsync("ext_id,source,email\nd-2,web,d@del.example\n");

        Assert.Equal("rows 1, inserted 1", outcome.Counts);
    }

    private Task<List<string>> AliasesAsync(string pattern) => _database.QueryAsync(
        "SELECT alias_ext_id || ' → ' || ext_id || ' by ' || matched_by FROM lead_aliases WHERE alias_ext_id LIKE @pattern ORDER BY 1",
        row => row.GetString(0),
        ("pattern", pattern));
}
