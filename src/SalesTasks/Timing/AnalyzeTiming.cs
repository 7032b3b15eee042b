using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;

namespace SalesTasks.Timing;

/// <summary>
/// <c>timing analyze</c>: counts what was tried and answered, fits the hours and the interval, measures the lift and concludes whether learned
/// hours may be used. One transaction: others see the old model or the new one.
/// </summary>
internal static class AnalyzeTiming
{
    private static readonly string[] s_channels = ["call", "email"];

    public static async Task<JobResult> RunAsync(JobContext context, CancellationToken cancellationToken)
    {
        await using var session = await TimingSession.OpenAsync(context, cancellationToken);
        return await session.RunAsync((connection, state, token) => RunAsync(context, connection, state, token), cancellationToken);
    }

    private static async Task<JobResult> RunAsync(
        JobContext context, NpgsqlConnection connection, TimingState state, CancellationToken cancellationToken)
    {
        var days = context.Parameters.Get(TimingJobs.AnalysisDays);
        var minDataPoints = context.Parameters.Get(TimingJobs.MinDataPoints);
        await connection.ExecuteStatementAsync("timing/clear_counts", [], cancellationToken);
        var arms = await CountAsync(connection, context.AsOf.AddDays(-days), state.Active ? state.AppliedSince : null, context.AsOf, cancellationToken);
        var attempts = arms.Single(a => a.Arm == "all");
        context.Advance((long)attempts.Of.Sum);

        var counts = await connection.QueryStatementAsync(
            "timing/counts",
            [],
            row => new SlotCount(row.GetString(0), row.GetString(1), row.GetInt16(2), row.GetInt16(3), row.GetInt32(4), row.GetDouble(5)),
            cancellationToken);
        // The week is the seed: a run done again draws the same numbers, the next week others.
        var random = new Random((int)(context.AsOf.UtcTicks / TimeSpan.TicksPerDay / 7));
        var channels = s_channels.Select(channel => SlotModel.Fit([.. counts.Where(c => c.Channel == channel)], channel, minDataPoints, random)).ToList();
        var gaps = await connection.QueryStatementAsync(
            "timing/gaps",
            [],
            row => new GapCount(row.GetString(0), row.GetInt16(1), row.GetInt32(2), row.GetInt32(3), row.GetDouble(4)),
            cancellationToken);
        var intervals = IntervalModel.Fit(gaps, minDataPoints);
        var lift = LiftOf(arms, null);
        var conclusion = state.Conclude(channels, lift, context.AsOf);

        await WriteAsync(connection, channels, intervals, cancellationToken);
        foreach (var week in arms.Select(a => a.Week).OfType<DateTime>().Distinct().Order())
        {
            await connection.ExecuteStatementAsync(
                "timing/write_lift", [("week", week), .. Figures(Of(arms, week, "treated"), Of(arms, week, "control"), LiftOf(arms, week))], cancellationToken);
        }

        await connection.ExecuteStatementAsync(
            "timing/conclude",
            [
                ("as_of", context.AsOf), ("state", conclusion.State), ("reason", conclusion.Reason), ("fallback_at", conclusion.FallbackSince),
                ("analysis_days", days), ("min_data_points", minDataPoints), ("attempts", (long)attempts.Of.Sum),
                .. Figures(Of(arms, null, "treated"), Of(arms, null, "control"), lift),
            ],
            cancellationToken);
        if (conclusion.Reason is { } reason)
        {
            context.Log.Information("Timing is {State:l}: {Reason:l}", conclusion.State, reason);
        }

        var profiles = channels.SelectMany(c => c.Profiles).ToList();
        return new JobResult(new Dictionary<string, long>(StringComparer.Ordinal)
        {
            ["attempts"] = (long)attempts.Of.Sum,
            ["answered"] = (long)attempts.Of.Squares,
            ["leads"] = attempts.Of.Leads,
            ["profiles"] = profiles.Count,
            ["credible_slots"] = profiles.Sum(p => p.Slots.Count(s => s.Credible)),
            ["intervals"] = intervals.Count(i => i.Credible),
        })
        {
            NothingToDo = attempts.Of.Sum == 0,
            Details = new Dictionary<string, object?>(StringComparer.Ordinal)
            {
                ["state"] = conclusion.State,
                ["reason"] = conclusion.Reason,
                ["lift"] = lift?.Difference.Value,
                ["lift_low"] = lift?.Difference.Low,
                ["lift_high"] = lift?.Difference.High,
            },
        };
    }

    private static Task<List<(DateTime? Week, string Arm, Arm Of)>> CountAsync(
        NpgsqlConnection connection, DateTimeOffset since, DateTimeOffset? applied, DateTimeOffset asOf, CancellationToken cancellationToken) =>
        connection.QueryStatementAsync(
            "timing/count_attempts",
            [("since_at", since), ("applied_at", applied), ("as_of", asOf)],
            row => (row.IsDBNull(0) ? (DateTime?)null : row.GetDateTime(0), row.GetString(1), new Arm(row.GetInt64(2), row.GetDouble(3), row.GetDouble(4))),
            cancellationToken);

    private static Arm Of(List<(DateTime? Week, string Arm, Arm Of)> arms, DateTime? week, string arm) =>
        arms.FirstOrDefault(a => a.Week == week && a.Arm == arm).Of;

    private static Lift? LiftOf(List<(DateTime? Week, string Arm, Arm Of)> arms, DateTime? week) =>
        Lift.Of(Of(arms, week, "treated"), Of(arms, week, "control"));

    private static (string, object?)[] Figures(Arm treated, Arm control, Lift? lift) =>
    [
        ("treated_leads", treated.Leads), ("treated_rate", treated.Rate), ("control_leads", control.Leads), ("control_rate", control.Rate),
        ("difference", lift?.Difference.Value), ("difference_low", lift?.Difference.Low), ("difference_high", lift?.Difference.High),
        ("ratio", lift?.Ratio?.Value), ("ratio_low", lift?.Ratio?.Low), ("ratio_high", lift?.Ratio?.High),
    ];

    private static async Task WriteAsync(
        NpgsqlConnection connection, List<ChannelModel> channels, IReadOnlyList<Interval> intervals, CancellationToken cancellationToken)
    {
        var profiles = channels.SelectMany(c => c.Profiles).ToList();
        T[] Profiles<T>(Func<Profile, T> value) => [.. profiles.Select(value)];
        await connection.ExecuteStatementAsync(
            "timing/write_profiles",
            [
                ("segments", Profiles(p => p.Segment)), ("channels", Profiles(p => p.Channel)), ("leads", Profiles(p => p.Leads)),
                ("answered", Profiles(p => p.Answered)), ("rates", Profiles(p => p.PlainRate)), ("credible", Profiles(p => p.Credible)),
            ],
            cancellationToken);

        var slots = profiles.SelectMany(p => p.Slots, (p, s) => (Profile: p, Slot: s)).ToList();
        T[] Slots<T>(Func<Slot, T> value) => [.. slots.Select(s => value(s.Slot))];
        await connection.ExecuteStatementAsync("timing/clear_slots", [], cancellationToken);
        await connection.ExecuteStatementAsync(
            "timing/write_slots",
            [
                ("segments", slots.Select(s => s.Profile.Segment).ToArray()), ("channels", slots.Select(s => s.Profile.Channel).ToArray()),
                ("weekdays", Slots(s => s.Weekday)), ("hours", Slots(s => s.Hour)), ("leads", Slots(s => s.Leads)), ("rates", Slots(s => s.Rate)),
                ("lows", Slots(s => s.Low)), ("highs", Slots(s => s.High)), ("credible", Slots(s => s.Credible)),
                ("draws", slots.SelectMany(s => s.Slot.Draws).ToArray()),
            ],
            cancellationToken);

        T[] Intervals<T>(Func<Interval, T> value) => [.. intervals.Select(value)];
        await connection.ExecuteStatementAsync(
            "timing/write_intervals",
            [
                ("segments", Intervals(i => i.Segment)), ("days", Intervals(i => i.Days)), ("contacts", Intervals(i => i.Contacts)),
                ("gains", Intervals(i => i.Gain)), ("lows", Intervals(i => i.GainLow)), ("highs", Intervals(i => i.GainHigh)),
                ("credible", Intervals(i => i.Credible)),
            ],
            cancellationToken);
    }
}
