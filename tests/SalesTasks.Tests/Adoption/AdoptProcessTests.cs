using SalesTasks.Tests.TestBase;
using SalesTasks.Tests.Validation;

namespace SalesTasks.Tests.Adoption;

/// <summary><c>db adopt</c> as a process: killed at each of its steps, and several at once.</summary>
public sealed class AdoptProcessTests(PostgresServer server)
{
    [Theory]
    [InlineData(" leads")]
    [InlineData(" tasks")]
    [InlineData(" sequences")]
    public async Task Adopt_KilledAtAStep_IsWholeOrNotAtAllAndTheNextRunFinishes(string step)
    {
        await using var database = await AdoptRig.MessyAsync(server);
        var before = await AdoptRig.EverythingAsync(database);
        var program = ProgramRunner.For(database).Start("db", "adopt");
        await program.HasLoggedAsync(step);
        program.Kill();
        await program.Completion;

        // The server may still be at it: the lock of migrations comes free when it is done or has noticed.
        await database.ExecuteAsync("SELECT pg_advisory_xact_lock(hashtextextended('salestasks.migrate.public', 0))");
        if (await database.ScalarAsync<bool>("SELECT to_regnamespace('public_before') IS NULL"))
        {
            Assert.Equal(before, await AdoptRig.EverythingAsync(database));
        }

        (await ProgramRunner.For(database).RunAsync("db", "adopt")).ShouldExitWith(ExitCode.Done);
        Assert.Equal(5, await database.ScalarAsync<long>("SELECT count(*) FROM sales_pipeline"));
        Assert.Equal(7, await database.ScalarAsync<long>("SELECT count(*) FROM public_before.leads"));
    }

    [Fact]
    public async Task Adopt_ThreeAtOnce_AdoptOnce()
    {
        await using var database = await AdoptRig.MessyAsync(server);

        var results = await TwoRunners.RunAsync(
            () => ProgramRunner.For(database).Start("db", "adopt", "--json"),
            async () =>
            {
                Assert.Equal(5, await database.ScalarAsync<long>("SELECT count(*) FROM sales_pipeline"));
                Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM adoptions"));
                Assert.Equal(["constraints_validated"], (await Sound.FindAsync(database)).Select(finding => finding.Check));
            },
            runners: 3);

        Assert.Single(results, result => !result.Result.GetProperty("earlier").GetBoolean());
    }
}
