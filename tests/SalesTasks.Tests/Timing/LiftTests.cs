using SalesTasks.Timing;

namespace SalesTasks.Tests.Timing;

/// <summary>The measured lift, and what is concluded from it.</summary>
public sealed class LiftTests
{
    private static readonly DateTimeOffset s_now = new(2026, 3, 16, 0, 0, 0, TimeSpan.Zero);
    private static readonly ChannelModel s_learned = new("call", [], 0.0001, null);

    /// <summary>Leads differ in how keen they are and in how often they are tried; the truth is the difference of the arms' mean rates.</summary>
    [Theory]
    [InlineData(0.05, 1_500, 80)]
    [InlineData(0, 1_500, 80)]
    [InlineData(0.10, 300, 40)]
    [InlineData(-0.04, 4_000, 200)]
    public void Of_TwoHundredExperiments_CoverTheTruthAsOftenAsTheySay(double effect, int treatedLeads, int controlLeads)
    {
        var (difference, ratio) = (0, 0);
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var lift = Lift.Of(Draw(random, treatedLeads, effect), Draw(random, controlLeads, 0))!;
            difference += lift.Difference.Low <= effect && effect <= lift.Difference.High ? 1 : 0;
            ratio += lift.Ratio!.Value.Low <= (0.2 + effect) / 0.2 && (0.2 + effect) / 0.2 <= lift.Ratio.Value.High ? 1 : 0;
        }

        Assert.InRange(difference, 170, 190);
        Assert.InRange(ratio, 170, 190);
    }

    [Fact]
    public void Of_FewLeadsInAnArm_SaysNothing() => Assert.Null(Lift.Of(new Arm(1_000, 200, 100), new Arm(29, 5, 3)));

    [Fact]
    public void Of_NoAnswerAtAll_HasAnIntervalOfSomeWidth()
    {
        var lift = Lift.Of(new Arm(500, 0, 0), new Arm(40, 0, 0))!;

        Assert.Null(lift.Ratio);
        Assert.True(lift.Difference.Low < -0.02 && lift.Difference.High > -0.02, $"{lift.Difference}");
    }

    [Fact]
    public void Conclude_ALiftThatIsCrediblyNegative_FallsBackForFourWeeks()
    {
        var worse = Lift.Of(new Arm(1_000, 50, 50), new Arm(60, 20, 20));
        var applied = new TimingState("ready", true, s_now.AddDays(-30), null);

        var fallback = applied.Conclude([s_learned], worse, s_now);
        Assert.Equal(new Conclusion("fallback", "lift_not_positive", s_now), fallback);

        // timing apply has switched it off; three weeks later it still rests, after four it is tried again, measured anew.
        var resting = new TimingState("fallback", false, null, s_now);
        Assert.Equal(fallback, resting.Conclude([s_learned], null, s_now.AddDays(21)));
        Assert.Equal(new Conclusion("ready", null, null), resting.Conclude([s_learned], null, s_now.AddDays(28)));
        // The same analysis again concludes the same.
        Assert.Equal(fallback, (applied with { FallbackSince = s_now }).Conclude([s_learned], worse, s_now));
    }

    [Fact]
    public void Conclude_AnEstimateOfNoLift_FallsBackOnlyWithEnoughLeads()
    {
        var applied = new TimingState("ready", true, s_now.AddDays(-30), null);

        Assert.Equal("ready", applied.Conclude([s_learned], Lift.Of(new Arm(1_000, 190, 190), new Arm(150, 30, 30)), s_now).State);
        Assert.Equal("fallback", applied.Conclude([s_learned], Lift.Of(new Arm(4_000, 780, 780), new Arm(210, 42, 42)), s_now).State);
        Assert.Equal("ready", applied.Conclude([s_learned], Lift.Of(new Arm(4_000, 900, 900), new Arm(210, 42, 42)), s_now).State);
    }

    [Fact]
    public void Conclude_NothingMeasuredYet_LetsLearnedHoursStart() => Assert.Equal(
        new Conclusion("ready", null, null), new TimingState("learning", false, null, null).Conclude([s_learned], null, s_now));

    [Theory]
    [InlineData("thin_data", "thin_data", "thin_data")]
    [InlineData("thin_data", "no_effect", "no_effect")]
    public void Conclude_NothingLearned_SaysWhy(string call, string email, string reason) => Assert.Equal(
        new Conclusion("learning", reason, null),
        new TimingState("ready", true, s_now, null).Conclude([new("call", [], 1, call), new("email", [], 1, email)], null, s_now));

    private static Arm Draw(Random random, int leads, double effect)
    {
        var arm = default(Arm);
        for (var lead = 0; lead < leads; lead++)
        {
            // Keen leads and others, 0.2 on average.
            var rate = (random.NextDouble() < 0.5 ? 0.1 : 0.3) + effect;
            var attempts = random.Next(1, 5);
            var share = Enumerable.Range(0, attempts).Count(_ => random.NextDouble() < rate) / (double)attempts;
            arm = new Arm(arm.Leads + 1, arm.Sum + share, arm.Squares + (share * share));
        }

        return arm;
    }
}
