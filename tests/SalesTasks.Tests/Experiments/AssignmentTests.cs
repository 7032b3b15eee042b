using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Experiments;

/// <summary>Which lead is in which group: decided once, by a hash, when it enters the pipeline.</summary>
public sealed class AssignmentTests(TestDatabase database) : IClassFixture<TestDatabase>, IAsyncLifetime
{
    private readonly ExperimentRig _rig = new(database);

    public async ValueTask InitializeAsync() => await _rig.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Leads_WithoutAnExperiment_AreInNoGroup()
    {
        await _rig.AddLeadsAsync("a", 10);

        Assert.Empty(await _rig.ArmsAsync());
    }

    [Fact]
    public async Task Leads_ThatEnter_AreAssignedByTheHash()
    {
        await _rig.AddLeadsAsync("before", 5);
        await _rig.StartAsync("20");
        await database.ExecuteAsync("UPDATE experiments SET salt = 'salt'");

        await _rig.AddLeadsAsync("a", 2_000);

        var arms = await _rig.ArmsAsync();
        Assert.Equal(
            Enumerable.Range(1, 2_000).Select(i => $"a{i} {(Bucket("salt", $"a{i}") < 200 ? "holdout" : "treated")} 1").Order(StringComparer.Ordinal),
            arms.Order(StringComparer.Ordinal));
        Assert.InRange(arms.Count(a => a.Contains("holdout", StringComparison.Ordinal)), 340, 460);
        var facts = Assert.Single(await database.RowsAsync("SELECT assigned_at, score, source, estimated_value FROM experiment_assignments WHERE lead_ext_id = 'a7'"));
        Assert.Equal((ExperimentRig.T0.UtcDateTime, 57, "organic", 1000m), (facts["assigned_at"], facts["score"], facts["source"], facts["estimated_value"]));
    }

    [Fact]
    public async Task Share_OfALaterExperiment_FlipsNobody()
    {
        await _rig.StartAsync("10");
        await _rig.AddLeadsAsync("a", 300);
        var before = await _rig.ArmsAsync();
        await _rig.DoAsync(ExperimentRig.T0, "experiment", "stop");
        await _rig.StartAsync("50");

        await _rig.AddLeadsAsync("b", 1);
        // It leaves the pipeline and comes back: it has had its turn.
        await database.ExecuteAsync("DELETE FROM sales_pipeline WHERE lead_ext_id = 'a1'; INSERT INTO sales_pipeline (lead_ext_id, email) VALUES ('a1', 'a1@acme.example')");

        var after = await _rig.ArmsAsync();
        Assert.Equal(before, after.Where(a => a[0] == 'a'));
        Assert.EndsWith(" 2", Assert.Single(after, a => a[0] == 'b'), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Lead_ErasedAndImportedAgain_IsInItsGroupAgain()
    {
        await _rig.StartAsync("50");
        await _rig.AddLeadsAsync("a", 40);
        var before = await _rig.ArmsAsync();

        await database.ExecuteAsync("DELETE FROM leads");
        Assert.Empty(await _rig.ArmsAsync());

        await _rig.AddLeadsAsync("a", 40);
        Assert.Equal(before, await _rig.ArmsAsync());
    }

    [Fact]
    public async Task Deals_OfHistoryOrClosed_AreNoPartOfIt()
    {
        await _rig.StartAsync();
        await database.ExecuteAsync("INSERT INTO leads (ext_id, source) VALUES ('old', 'x'), ('closed', 'x'), ('new', 'x')");

        await database.ExecuteAsync("BEGIN; SET LOCAL salestasks.history = 'on'; INSERT INTO sales_pipeline (lead_ext_id, email) VALUES ('old', 'x'); COMMIT");
        await database.ExecuteAsync("INSERT INTO sales_pipeline (lead_ext_id, email, stage) VALUES ('closed', 'x', 'closed_lost'), ('new', 'x', 'contacted')");

        Assert.StartsWith("new ", Assert.Single(await _rig.ArmsAsync()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Leads_QualifiedByTheJob_AreAssignedInTheSameTransaction()
    {
        await _rig.StartAsync("50");
        await database.ExecuteAsync(
            "INSERT INTO leads (ext_id, source, email, score) SELECT 'q' || i, 'organic', 'q' || i || '@acme.example', 80 FROM generate_series(1, 50) AS i");

        Assert.Equal(50, (await _rig.JobAsync("scoring qualify", ExperimentRig.T0.AddHours(1)))["qualified"]);

        Assert.Equal(50, await database.ScalarAsync<long>("SELECT count(*) FROM experiment_assignments WHERE assigned_at = @at", ("at", ExperimentRig.T0.AddHours(1))));
        Assert.Equal(0, (await _rig.JobAsync("scoring qualify", ExperimentRig.T0.AddHours(2)))["qualified"]);
    }

    /// <summary>The hash as the guide describes it, computed here once more.</summary>
    [SuppressMessage("Security", "CA5351:Do Not Use Broken Cryptographic Algorithms", Justification = "Spreads leads; keeps no secret.")]
    private static int Bucket(string salt, string lead) =>
        (int)(Convert.ToUInt32(Convert.ToHexString(MD5.HashData(Encoding.UTF8.GetBytes($"{salt}/{lead}")))[..8], 16) % 1_000);
}
