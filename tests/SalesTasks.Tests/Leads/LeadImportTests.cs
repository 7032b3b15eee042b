using System.Text;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Leads;

public sealed class LeadImportTests : IClassFixture<TestDatabase>, IDisposable
{
    private readonly TestDatabase _database;
    private readonly ImportRunner _runner;

    public LeadImportTests(TestDatabase database)
    {
        _database = database;
        _runner = new ImportRunner(database);
    }

    public void Dispose() => _runner.Dispose();

    [Fact]
    public async Task Import_ColumnsNamedLikeOurs_FillsThemAndKeepsTheRest()
    {
        var outcome = (await _runner.ImportTextAsync(
            """
            Ext ID;Source;First Name;Last Name;E-mail;Mobile;Created;Language;Company Domain;Demo Requested;Estimated Value;Time Zone;Favourite Colour
            byname-1;webinar;Ana;García;Ana@Byname.example;+34 600 111 222;2026-02-01;es-MX;www.Byname.example;yes;1200.5;Europe/Madrid;blue
            """)).ShouldExitWith(ExitCode.Done);

        Assert.Equal("rows 1, inserted 1", outcome.Counts);
        var lead = await LeadAsync("byname-1");
        Assert.Equal(("webinar", "Ana", "García", "Ana@Byname.example"), (lead["source"], lead["first_name"], lead["last_name"], lead["email"]));
        Assert.Equal(("+34 600 111 222", "es", "byname.example"), (lead["phone"], lead["language"], lead["company_domain"]));
        Assert.Equal((true, 1200.5m, "Europe/Madrid"), (lead["demo_requested"], lead["estimated_value"], lead["time_zone"]));
        Assert.Equal(new DateTime(2026, 2, 1, 0, 0, 0, DateTimeKind.Utc), lead["created_at"]);
        Assert.Equal(DateTime.Parse(ImportRunner.AsOf).ToUniversalTime(), lead["updated_at"]);
        Assert.Equal("""{"Favourite Colour": "blue"}""", lead["attributes"]);
    }

    [Fact]
    public async Task Import_SameFileTwice_ChangesNothing()
    {
        var path = _runner.Write("leads.csv", "ext_id,source,email,city\ntwice-1,web,t1@twice.example,Lima\ntwice-2,web,,\n");
        await _runner.ImportAsync(path);
        var before = await _database.FingerprintAsync("task_runs");

        var second = await _runner.ImportAsync(path, "--as-of", "2026-03-05T00:00:00Z");

        Assert.Equal("nothing_to_do", second.Result.GetProperty("status").GetString());
        Assert.Equal("rows 2, unchanged 2", second.Counts);
        Assert.Equal(before, await _database.FingerprintAsync("task_runs"));
    }

    [Fact]
    public async Task Import_ChangedFile_UpdatesOnlyWhatChangedAndNeverErasesByEmpty()
    {
        await _runner.ImportTextAsync("ext_id,source,email,phone,city,tier\nupd-1,web,u1@upd.example,+1 555 0100 200,Lima,a\nupd-2,web,u2@upd.example,,,\n");

        var outcome = await _runner.ImportTextAsync(
            "ext_id,source,email,phone,city,tier\nupd-1,web,u1@upd.example,,Cusco,\nupd-2,web,u2@upd.example,,,\n", "--as-of", "2026-03-05T00:00:00Z");

        Assert.Equal("rows 2, updated 1, unchanged 1", outcome.Counts);
        var changed = await LeadAsync("upd-1");
        Assert.Equal(("+1 555 0100 200", """{"city": "Cusco", "tier": "a"}"""), (changed["phone"], changed["attributes"]));
        Assert.Equal(new DateTime(2026, 3, 5, 0, 0, 0, DateTimeKind.Utc), changed["updated_at"]);
        Assert.Equal(DateTime.Parse(ImportRunner.AsOf).ToUniversalTime(), (await LeadAsync("upd-2"))["updated_at"]);
    }

    [Fact]
    public async Task Import_ErasingColumn_EmptiesWhatIsStored()
    {
        var mapping = _runner.Write("m.yaml", "columns: {ext_id: id, source: {value: web}, phone: {from: tel, erase: true}, country: land}\nattributes: none");
        await _runner.ImportTextAsync("id,tel,land\nerase-1,555 123 4567,Peru\n", "--mapping-file", mapping);

        var outcome = await _runner.ImportTextAsync("id,tel,land\nerase-1,,\n", "--mapping-file", mapping);

        Assert.Equal("rows 1, updated 1", outcome.Counts);
        var lead = await LeadAsync("erase-1");
        Assert.Equal((null, "Peru"), (lead["phone"], lead["country"]));
    }

    [Fact]
    public async Task Import_BadRows_GoToTheRejectFileAndTheRestGoesIn()
    {
        var path = _runner.Write(
            "bad.csv",
            "ext_id,source,email,created_at,estimated_value,language,note\n"
            + "bad-1,web,b1@bad.example,2026-01-01,10,es,fine\n"
            + ",web,b2@bad.example,,,,no id\n"
            + "bad-3,web,b3@bad.example,31.12.2025,,,\"two\nlines\"\n"
            + "bad-4,web,b4@bad.example,,ten,,\n"
            + $"{new string('x', 129)},web,,,,,\n"
            + "=bad-6,web\n"
            + "bad-7,,,,,,\n"
            + "bad-8,web,,2099-01-01,,,\n"
            + "bad-9,web,,,-5,,\n"
            + "bad-10,web,n\0l,,,,\n"
            + "bad-11,web,not an address,,,,kept\n");

        var outcome = (await _runner.ImportAsync(path)).ShouldExitWith(ExitCode.Done);

        Assert.Equal("rows 11, inserted 2, rejected 9, values_unusable 1", outcome.Counts);
        Assert.Equal(path + ".rejects.csv", outcome.RejectFile);
        var rejects = await File.ReadAllTextAsync(outcome.RejectFile!, TestContext.Current.CancellationToken);
        Assert.Equal(
            $""""
            file,line,reason,record
            {path},3,ext_id is empty,",web,b2@bad.example,,,,no id"
            {path},4,created_at is not a date and time in the expected format,"bad-3,web,b3@bad.example,31.12.2025,,,""two
            lines"""
            {path},6,estimated_value is not a number,"bad-4,web,b4@bad.example,,ten,,"
            {path},7,ext_id is longer than 128 characters,"{new string('x', 129)},web,,,,,"
            {path},8,has 2 columns where the header has 7,"'=bad-6,web"
            {path},9,source is empty,"bad-7,,,,,,"
            {path},10,created_at is before 1900 or more than a day in the future,"bad-8,web,,2099-01-01,,,"
            {path},11,estimated_value is not between 0 and 9999999999.99,"bad-9,web,,,-5,,"
            {path},12,contains a NUL character,"bad-10,web,n{'\0'}l,,,,"

            """",
            rejects);
        Assert.Equal((null, """{"note": "kept", "email_invalid": "not an address"}"""), ((await LeadAsync("bad-11"))["email"], (await LeadAsync("bad-11"))["attributes"]));
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(outcome.RejectFile!) == (UnixFileMode.UserRead | UnixFileMode.UserWrite));
        Assert.DoesNotContain("bad.example", outcome.Log, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_GoodFileAfterABadOne_RemovesTheOldRejectFile()
    {
        var path = _runner.Write("fixed.csv", "ext_id,source\n,web\n");
        Assert.True(File.Exists((await _runner.ImportAsync(path)).RejectFile));
        _runner.Write("fixed.csv", "ext_id,source\nfixed-1,web\n");

        await _runner.ImportAsync(path);

        Assert.Equal([path], Directory.GetFiles(_runner.Folder));
    }

    [Fact]
    public async Task Import_RequiredColumnMissing_NamesItAndTheFileAndTheColumnsFound()
    {
        var path = _runner.Write("people.csv", "Name,Mail\nAna,a@x.example\n");

        var outcome = await _runner.ImportAsync(path);

        outcome.ShouldExitWith(ExitCode.Usage);
        Assert.StartsWith($"'{path}' has no column ext_id; columns found: Name, Mail.", outcome.Error);
    }

    [Fact]
    public async Task Import_MappedColumnsMissing_NamesAllOfThem()
    {
        var mapping = _runner.Write("m.yaml", "columns: {ext_id: id, source: {value: \"{origin}\"}, email: [mail, e-mail]}\nattributes: [city]");

        var outcome = await _runner.ImportTextAsync("id,phone\n1,2\n", "--mapping-file", mapping);

        outcome.ShouldExitWith(ExitCode.Usage);
        Assert.EndsWith(
            "lacks columns that the mapping reads: 'origin' (for source), 'mail' or 'e-mail' (for email), 'city' (for attributes); columns found: id, phone",
            outcome.Error);
    }

    [Fact]
    public async Task Import_NoSuchFile_IsRefused() =>
        Assert.Contains("no file or folder '/nowhere/leads.csv'", (await _runner.ImportAsync("/nowhere/leads.csv")).ShouldExitWith(ExitCode.Usage).Error);

    [Theory]
    [InlineData("--kind", "engagement", "kind: 'engagement', but the mapping is for 'leads'")]
    [InlineData("--mapping", "x", "--mapping and --mapping-file: both given")]
    [InlineData("--on-duplicate", "explode", "allowed: one of merge, keep, separate, reject")]
    public async Task Import_ContradictingParameters_AreRefused(string flag, string value, string fault)
    {
        var mapping = _runner.Write("m.yaml", "columns: {ext_id: id, source: {value: web}}");

        var outcome = await _runner.ImportTextAsync("id\n1\n", "--mapping-file", mapping, flag, value);

        Assert.Contains(fault, outcome.ShouldExitWith(ExitCode.Usage).Error);
    }

    [Fact]
    public async Task Import_MappingWithoutSource_IsRefusedBeforeTheFileIsRead()
    {
        var mapping = _runner.Write("m.yaml", "columns: {ext_id: id}");

        Assert.Equal(
            "The mapping fills no source; every row needs it",
            (await _runner.ImportAsync(_runner.Write("x.csv", "id\n1\n"), "--mapping-file", mapping)).ShouldExitWith(ExitCode.Usage).Error);
    }

    [Fact]
    public async Task Import_DefaultSource_IsForNewLeadsOnly()
    {
        await _runner.ImportTextAsync("ext_id,source\nsrc-1,partner\n");

        var outcome = await _runner.ImportTextAsync("ext_id,country\nsrc-1,Peru\nsrc-2,Chile\n", "--source", "webinar");

        Assert.Equal("rows 2, inserted 1, updated 1", outcome.Counts);
        Assert.Equal(("partner", "webinar"), ((await LeadAsync("src-1"))["source"], (await LeadAsync("src-2"))["source"]));
    }

    [Fact]
    public async Task Import_SameIdSeveralTimesInARun_FoldsToTheLastValueOfEachColumn()
    {
        // Also across files, and the second import of all of it changes nothing.
        _runner.Write("many/1.csv", "ext_id,source,country,region,tier\nmany-1,web,Peru,Lima,a\nmany-1,web,Chile,,\n");
        _runner.Write("many/2.csv", "ext_id,source,country,region,tier\nmany-1,ads,,,b\n");
        var folder = Path.Combine(_runner.Folder, "many");

        var first = await _runner.ImportAsync(folder);
        var second = await _runner.ImportAsync(folder, "--as-of", "2026-03-05T00:00:00Z");

        Assert.Equal("rows 3, inserted 1, repeated 2", first.Counts);
        Assert.Equal("rows 3, unchanged 1, repeated 2", second.Counts);
        var lead = await LeadAsync("many-1");
        Assert.Equal(("ads", "Chile", "Lima", """{"tier": "b"}"""), (lead["source"], lead["country"], lead["region"], lead["attributes"]));
    }

    [Fact]
    public async Task Import_Folder_TakesDataFilesDirectlyInIt()
    {
        _runner.Write("folder/a.csv", "ext_id,source\nfolder-1,web\n,web\n");
        _runner.Write("folder/b.jsonl", "{\"ext_id\":\"folder-2\",\"source\":\"web\"}\n");
        using (var packed = new MemoryStream())
        {
            using (var gzip = new System.IO.Compression.GZipStream(packed, System.IO.Compression.CompressionMode.Compress))
            {
                gzip.Write("ext_id,source\nfolder-3,web\n"u8);
            }

            _runner.Write("folder/c.csv.gz", packed.ToArray());
        }

        _runner.Write("folder/readme.md", "not data");
        _runner.Write("folder/deeper/d.csv", "ext_id,source\nfolder-4,web\n");
        var folder = Path.Combine(_runner.Folder, "folder");

        var first = await _runner.ImportAsync(folder);
        var second = await _runner.ImportAsync(folder);

        Assert.Equal((3, "rows 4, inserted 3, rejected 1"), (first["files"], first.Counts));
        // The first run's reject file lies in the folder and is no source.
        Assert.Equal((3, "rows 4, unchanged 3, rejected 1"), (second["files"], second.Counts));
    }

    [Fact]
    public async Task Import_EmptyFolder_IsNothingToDo()
    {
        Directory.CreateDirectory(Path.Combine(_runner.Folder, "empty"));

        (await _runner.ImportAsync(Path.Combine(_runner.Folder, "empty"))).ShouldExitWith(ExitCode.Done);
        (await _runner.ImportAsync(Path.Combine(_runner.Folder, "empty"), "--skip-when-idle")).ShouldExitWith(ExitCode.NothingToDo);
    }

    [Fact]
    public async Task Import_Windows1252_IsReadAndSaid()
    {
        var path = _runner.Write("old.csv", Encoding.Latin1.GetBytes("ext_id,source,last_name\nlatin-1,web,Núñez\n"));

        var outcome = await _runner.ImportAsync(path);

        Assert.Equal("Núñez", (await LeadAsync("latin-1"))["last_name"]);
        Assert.Equal(path, outcome.Result.GetProperty("details").GetProperty("read_as_windows_1252")[0].GetString());
    }

    [Fact]
    public async Task Import_Utf16WithMark_IsReadAsCsvAndAsJson()
    {
        var csv = _runner.Write("u.csv", [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes("ext_id\tsource\tlast_name\nutf16-1\tweb\tŁódź\n")]);
        var json = _runner.Write("u.json", [.. Encoding.Unicode.GetPreamble(), .. Encoding.Unicode.GetBytes("[{\"ext_id\":\"utf16-2\",\"source\":\"web\",\"last_name\":\"Ærø\"}]")]);

        await _runner.ImportAsync(csv);
        await _runner.ImportAsync(json);

        Assert.Equal(("Łódź", "Ærø"), ((await LeadAsync("utf16-1"))["last_name"], (await LeadAsync("utf16-2"))["last_name"]));
    }

    [Fact]
    public async Task Import_JsonLines_KeepTypesAndReachInnerFields()
    {
        var mapping = _runner.Write(
            "m.yaml", "columns: {ext_id: id, source: {value: api}, region: address.city, demo_requested: demo}\nattributes: rest");
        var path = _runner.Write(
            "leads.jsonl",
            "{\"id\": 7001, \"demo\": true, \"address\": {\"city\": \"Lima\", \"zip\": 15}, \"tags\": [\"a\"], \"visits\": 3, \"none\": null}\nbroken\n");

        var outcome = await _runner.ImportAsync(path, "--mapping-file", mapping);

        Assert.Equal("rows 2, inserted 1, rejected 1", outcome.Counts);
        var lead = await LeadAsync("7001");
        Assert.Equal(("Lima", true), (lead["region"], lead["demo_requested"]));
        Assert.Equal("""{"tags": ["a"], "visits": 3, "address": {"zip": 15, "city": "Lima"}}""", lead["attributes"]);
    }

    [Fact]
    public async Task Import_DryRun_CountsLikeTheRealRunAndWritesNothing()
    {
        await _runner.ImportTextAsync("ext_id,source,email,phone,first_name\ndry-0,web,d0@dry.example,,\ndry-9,web,d9@dry.example,,Nina\n");
        var text = new StringBuilder("ext_id,source,email,phone,first_name,country\n")
            .Append("dry-0,web,d0@dry.example,,,Peru\n")
            .Append("dry-9,web,d9@dry.example,,Nina,\n")
            .Append("dry-alias,web,D0@dry.example,+51 999 888 777,Rosa,\n")
            .Append("dry-alias2,web,,51999888777,rosa,\n")
            .Append(",web,,,,\n");
        // New people whose second rows come more than a batch later, and whose phone came with the second.
        for (var i = 0; i < 12_000; i++)
        {
            text.Append($"dryn-{i},web,n{i}@dry.example,,N{i},\n");
        }

        for (var i = 0; i < 500; i++)
        {
            text.Append($"drym-{i},web,n{i}@dry.example,+51 700 {i:000000},,\n");
            text.Append($"dryp-{i},web,,51700{i:000000},n{i},\n");
        }

        var path = _runner.Write("dry.csv", text.ToString());
        var before = await _database.FingerprintAsync();

        var dry = await _runner.ImportAsync(path, "--dry-run");

        Assert.Equal(before, await _database.FingerprintAsync());
        Assert.Equal([path, Path.Combine(_runner.Folder, "leads.csv")], Directory.GetFiles(_runner.Folder).Order());
        Assert.Equal("ext_id is empty", dry.Result.GetProperty("details").GetProperty("rejects")[0].GetProperty("reason").GetString());
        var real = await _runner.ImportAsync(path);
        Assert.Equal("rows 13005, inserted 12000, updated 1, unchanged 1, merged 1002, rejected 1", real.Counts);
        Assert.Equal(real.Counts, dry.Counts);
    }

    [Fact]
    public async Task Import_TooManyBadRows_ImportsNothing()
    {
        var path = _runner.Write("wrong.csv", "ext_id,source,created_at\nwrong-1,web,\nwrong-2,web,x\nwrong-3,web,y\n");

        var outcome = await _runner.ImportAsync(path, "--max-rejected-percent", "50");

        Assert.Contains("2 of 3 rows are bad, more than max_rejected_percent (50); nothing was imported", outcome.ShouldExitWith(ExitCode.Usage).Error);
        Assert.Equal(0, await _database.ScalarAsync<long>("SELECT count(*) FROM leads WHERE ext_id LIKE 'wrong-%'"));
        Assert.Equal(0, await _database.ScalarAsync<long>("SELECT count(*) FROM lead_import_rows"));
    }

    [Fact]
    public async Task Import_Limited_GoesOnWithTheNextRun()
    {
        var path = _runner.Write("limit.csv", "ext_id,source\n" + string.Concat(Enumerable.Range(0, 25).Select(i => $"limit-{i},web\n")));

        var counts = new List<string>();
        for (var run = 0; run < 4; run++)
        {
            counts.Add((await _runner.ImportAsync(path, "--max-leads-per-run", "10")).Counts);
        }

        Assert.Equal(
            ["rows 25, inserted 10", "rows 25, inserted 10, unchanged 10", "rows 25, inserted 5, unchanged 20", "rows 25, unchanged 25"], counts);
    }

    [Fact]
    public async Task Import_RejectPath_IsAFileOrAFolderAndMustBeWritable()
    {
        var bad = "ext_id,source\n,web\n";
        Directory.CreateDirectory(Path.Combine(_runner.Folder, "out"));

        var file = await _runner.ImportTextAsync(bad, "--reject-path", Path.Combine(_runner.Folder, "mine.csv"));
        var folder = await _runner.ImportTextAsync(bad, "--reject-path", Path.Combine(_runner.Folder, "out"));
        var nowhere = await _runner.ImportTextAsync(bad, "--reject-path", "/nowhere/else/r.csv");

        Assert.Equal(Path.Combine(_runner.Folder, "mine.csv"), file.RejectFile);
        Assert.Equal(Path.Combine(_runner.Folder, "out", "leads.csv.rejects.csv"), folder.RejectFile);
        Assert.Contains("reject_path: '/nowhere/else/r.csv' cannot be written", nowhere.ShouldExitWith(ExitCode.Usage).Error);
    }

    [Fact]
    public async Task Import_NewLeads_AreDueForScoring()
    {
        await _runner.ImportTextAsync("ext_id,source\ndue-1,web\n");

        Assert.Equal(1, await _database.ScalarAsync<long>(
            "SELECT count(*) FROM lead_score_due d JOIN leads l USING (lead_id) WHERE l.ext_id = 'due-1' AND d.due_at = '-infinity'"));
    }

    [Fact]
    public async Task Import_SilentImports_AreCleanedUp()
    {
        await _database.ExecuteAsync("INSERT INTO lead_imports (heartbeat_at) VALUES (now() - interval '2 hours'), (now())");
        await _database.ExecuteAsync("INSERT INTO lead_import_rows (import_id, seq, ext_id) SELECT id, 1, 'silent' FROM lead_imports");

        await _runner.ImportTextAsync("ext_id,source\nclean-1,web\n");

        Assert.Equal(1, await _database.ScalarAsync<long>("SELECT count(*) FROM lead_import_rows"));
        await _database.ExecuteAsync("DELETE FROM lead_imports; DELETE FROM lead_import_rows");
    }

    private async Task<Dictionary<string, object?>> LeadAsync(string extId) =>
        Assert.Single(await _database.RowsAsync("SELECT * FROM leads WHERE ext_id = @ext_id", ("ext_id", extId)));
}
