using CsCheck;
using Microsoft.Extensions.Time.Testing;
using SalesTasks.Airflow;

namespace SalesTasks.Tests.Airflow;

public sealed class RunIdentityTests
{
    private static readonly FakeTimeProvider s_time = new(new DateTimeOffset(2026, 1, 31, 6, 0, 0, TimeSpan.Zero));

    [Fact]
    public void Read_FromAirflow_IsThatTry()
    {
        var run = ReadWithoutFault(
            ("SALES_DAG_ID", "lead_scoring_automation"),
            ("SALES_TASK_ID", "score"),
            ("SALES_RUN_ID", "scheduled__2026-01-31T06:00:00+00:00"),
            ("SALES_MAP_INDEX", "2"),
            ("SALES_TRY_NUMBER", "3"),
            ("SALES_LOGICAL_DATE", "2026-01-31T06:00:00+00:00"),
            ("SALES_DATA_INTERVAL_START", "2026-01-30T06:00:00+00:00"),
            ("SALES_DATA_INTERVAL_END", "2026-01-31T07:00:00.123456+01:00"));

        Assert.Equal(
            new RunIdentity
            {
                DagId = "lead_scoring_automation",
                TaskId = "score",
                RunId = "scheduled__2026-01-31T06:00:00+00:00",
                MapIndex = 2,
                TryNumber = 3,
                LogicalDate = new DateTimeOffset(2026, 1, 31, 6, 0, 0, TimeSpan.Zero),
                DataIntervalStart = new DateTimeOffset(2026, 1, 30, 6, 0, 0, TimeSpan.Zero),
                DataIntervalEnd = new DateTimeOffset(2026, 1, 31, 6, 0, 0, 123, 456, TimeSpan.Zero),
            },
            run);
        Assert.Equal("lead_scoring_automation/score/scheduled__2026-01-31T06:00:00+00:00/2", run.IdempotencyKey);
    }

    [Fact]
    public void Read_ByHand_IsARunOfItsOwn()
    {
        var first = ReadWithoutFault(("SALES_RUN_ID", "  "), ("SALES_MAP_INDEX", ""));
        var second = ReadWithoutFault();

        Assert.Equal(("manual", "scoring_score", -1, 1), (first.DagId, first.TaskId, first.MapIndex, first.TryNumber));
        Assert.StartsWith("manual__2026-01-31T06:00:00Z_", first.RunId, StringComparison.Ordinal);
        Assert.NotEqual(first.RunId, second.RunId);
        Assert.Null(first.LogicalDate);
    }

    [Fact]
    public void IdempotencyKey_NextTry_IsTheSame()
    {
        (string, string)[] run = [("SALES_DAG_ID", "d"), ("SALES_TASK_ID", "t"), ("SALES_RUN_ID", "r"), ("SALES_MAP_INDEX", "0")];

        Assert.Equal(
            ReadWithoutFault([.. run, ("SALES_TRY_NUMBER", "1")]).IdempotencyKey,
            ReadWithoutFault([.. run, ("SALES_TRY_NUMBER", "2")]).IdempotencyKey);
    }

    [Fact]
    public void Read_NoneWhereARunHasNoInterval_IsNone() =>
        Assert.Null(ReadWithoutFault(("SALES_DATA_INTERVAL_START", "None")).DataIntervalStart);

    [Fact]
    public void Read_EverythingWrong_TellsEveryFault()
    {
        const string instant = "is not allowed; allowed: an ISO 8601 instant with offset, such as 2026-01-31T06:00:00+00:00";
        var faults = new List<string>();
        Read(
            faults,
            ("SALES_DAG_ID", new string('d', 251)),
            ("SALES_TASK_ID", "score\u001b[31m"),
            ("SALES_RUN_ID", "a\nb"),
            ("SALES_MAP_INDEX", "-2"),
            ("SALES_TRY_NUMBER", "first"),
            ("SALES_LOGICAL_DATE", "2026-01-31"),
            ("SALES_DATA_INTERVAL_START", "2026-01-31T06:00:00"),
            ("SALES_DATA_INTERVAL_END", new string('9', 200)));

        Assert.Equal(
            [
                "SALES_DAG_ID: 251 characters; allowed: at most 250, as in Airflow",
                "SALES_TASK_ID: 'score [31m' is not allowed; allowed: text without control characters",
                "SALES_RUN_ID: 'a b' is not allowed; allowed: text without control characters",
                "SALES_MAP_INDEX: '-2' is not allowed; allowed: a whole number of at least -1",
                "SALES_TRY_NUMBER: 'first' is not allowed; allowed: a whole number of at least 0",
                $"SALES_LOGICAL_DATE: '2026-01-31' {instant}",
                $"SALES_DATA_INTERVAL_START: '2026-01-31T06:00:00' {instant}",
                $"SALES_DATA_INTERVAL_END: '{new string('9', 80)}…' {instant}",
            ],
            faults);
    }

    [Fact]
    public void Read_AnyEnvironment_IsAnIdentityOrFaults() =>
        Gen.Select(Gen.OneOf("SALES_DAG_ID", "SALES_RUN_ID", "SALES_MAP_INDEX", "SALES_LOGICAL_DATE"), Gen.String).Sample(
            (name, text) =>
            {
                var faults = new List<string>();
                var run = Read(faults, (name, text));
                Assert.All(
                    (string[])[.. faults, run.IdempotencyKey], line => Assert.DoesNotContain(line, char.IsControl));
                Assert.InRange(run.RunId.Length, 1, 250);
            },
            iter: 5000);

    private static RunIdentity ReadWithoutFault(params (string Name, string Value)[] environment)
    {
        var faults = new List<string>();
        var run = Read(faults, environment);
        Assert.Empty(faults);
        return run;
    }

    private static RunIdentity Read(List<string> faults, params (string Name, string Value)[] environment) => RunIdentity.Read(
        name => environment.FirstOrDefault(variable => variable.Name == name).Value, "scoring score", s_time, faults);
}
