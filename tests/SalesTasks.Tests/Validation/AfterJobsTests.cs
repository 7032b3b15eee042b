using SalesTasks.Demo;
using SalesTasks.Tests.Crm;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Validation;

/// <summary>No job leaves anything behind that <c>validate</c> would find: the sample, then every DAG's steps one after the other.</summary>
public sealed class AfterJobsTests(TestDatabase database) : IClassFixture<TestDatabase>
{
    [Fact]
    public async Task Validate_AfterTheSampleAndAfterEveryJob_FindsNothing()
    {
        var now = TimeProvider.System.GetUtcNow();
        var present = new DateTimeOffset(now.Ticks - (now.Ticks % TimeSpan.TicksPerHour), TimeSpan.Zero);
        await using (var target = database.Open(present))
        {
            var options = new SampleOptions(present) { Leads = 1_000 };
            await new SampleLoader(target, new SampleGenerator(options)).LoadAsync(progress: null, TestContext.Current.CancellationToken);
        }

        await Sound.IsAsync(database, present);
        await using var crm = new CrmRig(database, "hubspot");

        foreach (var (dag, job) in Commands.DemoDags.SelectMany(dag => dag.Steps, (dag, job) => (dag, job)))
        {
            var answer = await crm.RunAsync([.. dag.Arguments(job), "--as-of", present.ToString("O")]);
            Assert.True(answer.ExitCode is ExitCode.Done, $"{job.Name}: {answer}");
            var findings = await Sound.FindAsync(database, present);
            Assert.True(findings.Count == 0, $"after {job.Name}: {string.Join('\n', findings)}");
        }
    }
}
