using SalesTasks.Predictions.Learning;
using SalesTasks.Predictions.Predicting;
using SalesTasks.Predictions.Training;

namespace SalesTasks.Tests.Predictions.Predicting;

/// <summary>What is recommended for which facts.</summary>
public sealed class RecommendationsTests
{
    private static readonly string[] s_columns = ["stage", "days_since_engagement", "days_in_stage"];

    [Theory]
    // A reply of today that nobody answered: call, or write where there is no phone.
    [InlineData("contacted", "replies=1 days_since_engagement=0.5 days_since_contact=3 has_phone=1 pending_tasks=1", 0.3, null, "call_now/replied_unanswered book_meeting/replied")]
    [InlineData("contacted", "replies=1 days_since_engagement=0.5 days_since_contact=3 pending_tasks=1", 0.3, null, "write_now/replied_unanswered book_meeting/replied")]
    [InlineData("contacted", "replies=1 days_since_engagement=0.5 days_since_contact=0.2 has_phone=1 pending_tasks=1", 0.3, null, "book_meeting/replied")]
    [InlineData("qualified", "pending_tasks=1", 0.3, null, "first_contact/never_contacted")]
    [InlineData("meeting_scheduled", "days_in_stage=4 days_since_contact=1 pending_tasks=1", 0.3, null, "send_proposal/meeting_stage")]
    [InlineData("meeting_scheduled", "days_in_stage=2 days_since_contact=1 pending_tasks=1", 0.3, null, "")]
    [InlineData("proposal_sent", "days_in_stage=2 days_since_contact=1 pending_tasks=1", 0.7, null, "negotiate/likely")]
    [InlineData("negotiating", "days_in_stage=15 days_since_contact=1 pending_tasks=1", 0.7, null, "ask_decision/long_in_stage")]
    // The learned interval comes before the usual week.
    [InlineData("contacted", "days_since_contact=5 pending_tasks=1", 0.3, 4.0, "follow_up/interval_passed")]
    [InlineData("contacted", "days_since_contact=9 pending_tasks=1", 0.3, 4.0, "follow_up/interval_passed re_engage/silent")]
    [InlineData("contacted", "days_since_contact=9 pending_tasks=1", 0.3, null, "")]
    [InlineData("contacted", "days_since_contact=15 pending_tasks=1", 0.3, null, "re_engage/silent")]
    [InlineData("contacted", "days_since_contact=1", 0.3, null, "plan_step/no_task")]
    public void For_Facts_SaysWhatTheyAskForAndWhy(string stage, string facts, double probability, double? interval, string expected) =>
        Assert.Equal(expected, Recommend(stage, facts, probability, interval, [0, 0, 0, 0]));

    [Fact]
    public void For_WhatWeighsAgainstTheDeal_ComesFromTheContributions()
    {
        const string Facts = "days_since_contact=1 pending_tasks=1 days_in_stage=20";

        Assert.Equal("", Recommend("contacted", Facts, 0.3, null, [0, -0.2, -0.2, 0]));
        Assert.Equal("re_engage/weighs_engagement", Recommend("contacted", Facts, 0.3, null, [0, -0.4, 0, 0]));
        Assert.Equal("ask_decision/weighs_time re_engage/weighs_engagement", Recommend("contacted", Facts, 0.3, null, [-1, -0.4, -0.6, 0]));
    }

    [Fact]
    public void For_ManyReasons_SaysThreeAtMostAndEachActionOnce()
    {
        var said = Recommend("negotiating", "days_in_stage=20 days_since_contact=30 replies=1 days_since_engagement=1 has_phone=1", 0.9, 4, [0, -1, -1, 0]);

        Assert.Equal("call_now/replied_unanswered ask_decision/long_in_stage follow_up/interval_passed", said);
    }

    [Fact]
    public void Texts_AllCodes_AreThereInBothLanguages()
    {
        string[] codes = ["call_now", "write_now", "first_contact", "book_meeting", "send_proposal", "negotiate", "ask_decision", "follow_up", "re_engage", "plan_step"];
        string[] reasons =
        [
            "replied_unanswered", "demo_unanswered", "pricing_unanswered", "never_contacted", "replied", "demo", "pricing", "meeting_stage", "likely", "long_in_stage", "interval_passed",
            "silent", "weighs_silence", "weighs_engagement", "weighs_time", "weighs_work", "no_task", "endpoint",
        ];

        Assert.All(codes, code => Assert.DoesNotContain(code, (string[])[Recommendations.Text(code).English, Recommendations.Text(code).Spanish]));
        Assert.All(reasons, code => Assert.DoesNotContain(code, (string[])[Recommendations.ReasonText(code).English, Recommendations.ReasonText(code).Spanish]));
    }

    private static string Recommend(string stage, string facts, double probability, double? interval, double[] contributions)
    {
        var given = facts.Split(' ').Select(f => f.Split('=')).ToDictionary(f => f[0], f => float.Parse(f[1], System.Globalization.CultureInfo.InvariantCulture));
        var table = new DataTable(
            [.. FeatureRows.Names.Select<string, Column>(name => name switch
            {
                "stage" => new CategoryColumn(name, [0], [stage]),
                "source" or "product_interest" or "industry" => new CategoryColumn(name, [-1], []),
                _ => new NumberColumn(name, [given.TryGetValue(name, out var value) ? value : name is "days_since_contact" or "days_since_engagement" ? float.NaN : 0]),
            })],
            1);
        var outlook = new Outlook(Logits.Of(probability), 0.1, contributions, null, default, 1 - probability);
        return string.Join(' ', new Recommendations(table, s_columns).For(0, outlook, interval).Select(r => $"{r.Code}/{r.Reason}"));
    }
}
