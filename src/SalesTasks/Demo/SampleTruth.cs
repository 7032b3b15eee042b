namespace SalesTasks.Demo;

/// <summary>Stages of a deal in order; the database's <c>pipeline_stage</c>.</summary>
internal enum Stage
{
    Qualified,
    Contacted,
    MeetingScheduled,
    ProposalSent,
    Negotiating,
    ClosedWon,
    ClosedLost,
}

internal enum Channel
{
    Call,
    Email,
}

/// <summary>All that the outcome of a deal depends on.</summary>
internal readonly record struct WinFacts
{
    public required Source Source { get; init; }

    public required Product Product { get; init; }

    public required Industry Industry { get; init; }

    public required bool HasPhone { get; init; }

    /// <summary>Null: unknown, which neither helps nor harms.</summary>
    public required decimal? Value { get; init; }

    /// <summary>Events of people (not of bots) up to qualification.</summary>
    public required int Replies { get; init; }

    public required int Clicks { get; init; }

    public required int Opens { get; init; }

    public required bool Demo { get; init; }

    public required bool Pricing { get; init; }

    /// <summary>From qualification to the first contact.</summary>
    public required double FirstContactHours { get; init; }

    /// <summary>When it was qualified: 0 at the start of the two years, 1 at their end.</summary>
    public required double Position { get; init; }

    /// <summary>Month of qualification, 1–12.</summary>
    public required int Month { get; init; }

    /// <summary>Whether the welcome campaign ran for it.</summary>
    public required bool Welcomed { get; init; }

    /// <summary>See <see cref="SampleTruth.RepEffect"/>; 0 where nobody is assigned.</summary>
    public required double RepEffect { get; init; }

    /// <summary>How keen the lead is: standard normal, never recorded, seen only through what the lead does.</summary>
    public required double Interest { get; init; }

    /// <summary>Chance: standard normal, seen through nothing.</summary>
    public required double Noise { get; init; }
}

/// <summary>
/// The laws by which the sample's leads behave, and nothing else: what predictions, routing, timing and campaign results are compared
/// with. <c>docs/demo.md</c> has the same formulas. All functions are pure.
/// </summary>
internal static class SampleTruth
{
    public const double WelcomeEffect = 0.35;

    /// <summary>Experiment whose campaign changes nothing: an honest report finds no effect.</summary>
    public const double ProposalFollowUpEffect = 0;

    public const double WelcomeShare = 0.7;
    public const double ProposalFollowUpShare = 0.5;

    public const double BestProductEffect = 0.55;
    public const double WorstProductEffect = -0.45;
    public const double ForeignRegionEffect = -0.30;
    public const double RepSpread = 0.22;

    /// <summary>Of the hours to the first contact, which are log-normal before they move into working hours.</summary>
    public const double FirstContactMedianHours = 6;

    public const double FirstContactSigma = 1.1;

    /// <summary>The shape of all stays; above 1: the hazard rises with time.</summary>
    public const double StayShape = 1.4;

    /// <summary>Lost deals fade: they leave a stage this many times later than those that go on.</summary>
    public const double LossFactor = 1.9;

    private const double Intercept = -1.20;

    /// <summary>Γ(1 + 1/<see cref="StayShape"/>): the mean of a stay in units of its scale.</summary>
    private const double MeanOfScale = 0.9114233396381745;

    private const double LossScaleWithoutContact = 45;

    /// <summary>Exponent of each stage's passing probability; they add up to 1.</summary>
    private static readonly double[] PassExponent = [0.15, 0.30, 0.25, 0.18, 0.12];

    /// <summary>Scale in days of the stay in a stage that is passed, at pace 1. Qualified ends with the first contact instead.</summary>
    private static readonly double[] PassScale = [0, 26, 26, 34, 24];

    /// <summary>Monday to Sunday.</summary>
    private static readonly double[] WeekdayEffect = [-0.15, 0.10, 0.15, 0.10, -0.25, -1.0, -1.2];

    /// <summary>Log-odds of winning.</summary>
    public static double WinLogit(in WinFacts facts) =>
        Intercept
        + facts.Source.WinEffect
        + facts.Product.WinEffect
        + facts.Industry.WinEffect
        + (0.25 * Number(facts.HasPhone))
        - (0.25 * LogOfRelativeValue(facts.Value, facts.Product))
        + (0.45 * Math.Min(facts.Replies, 2))
        + (0.22 * Math.Log(1 + facts.Clicks))
        + (0.08 * Math.Log(1 + facts.Opens))
        + (0.50 * Number(facts.Demo))
        + (0.40 * Number(facts.Pricing))
        + (0.35 * Number(facts.Demo && facts.Pricing))
        - (0.16 * Math.Log(1 + facts.FirstContactHours))
        + (0.30 * (facts.Position - 0.5))
        + Season(facts.Month)
        + (WelcomeEffect * Number(facts.Welcomed))
        + facts.RepEffect
        + (0.45 * facts.Interest)
        + (0.30 * facts.Noise);

    /// <summary>Probability that a deal is won, seen from its qualification.</summary>
    public static double WinProbability(in WinFacts facts) => Logistic(WinLogit(facts));

    /// <summary>What a rep adds to the log-odds with a product in a region.</summary>
    public static double RepEffect(SampleRep rep, Product product, string region) =>
        rep.Skill
        + (product == rep.BestProduct ? BestProductEffect : 0)
        + (product == rep.WorstProduct ? WorstProductEffect : 0)
        + (string.Equals(region, rep.HomeRegion, StringComparison.Ordinal) ? 0 : ForeignRegionEffect);

    /// <summary>Probability that a deal which entered the stage goes on to the next: win probability ^ exponent of the stage.</summary>
    public static double PassProbability(Stage stage, double winProbability) => Math.Pow(winProbability, PassExponent[(int)stage]);

    /// <summary>Probability that a deal which just entered the stage is won in the end.</summary>
    public static double WinProbabilityFrom(Stage stage, double winProbability) =>
        Math.Pow(winProbability, PassExponent[(int)stage..].Sum());

    /// <summary>
    /// Probability that an open deal is won, <paramref name="days"/> after it entered its stage: the longer it stays, the likelier it is
    /// one of those that will be lost (Bayes). One that was not contacted when it was to be will not be any more.
    /// </summary>
    /// <param name="stage">Its stage.</param>
    /// <param name="days">Since it entered the stage.</param>
    /// <param name="winProbability">Seen from qualification.</param>
    /// <param name="product">Of the deal.</param>
    /// <param name="daysToFirstContact">From now; counts in the stage qualified only.</param>
    public static double WinProbabilityNow(Stage stage, double days, double winProbability, Product product, double daysToFirstContact) =>
        StillPassing(stage, days, winProbability, product, daysToFirstContact)
        * (stage == Stage.Negotiating ? 1 : WinProbabilityFrom(stage + 1, winProbability));

    /// <summary>Days in a stage that is passed (after qualified, whose end is the first contact).</summary>
    public static double PassStay(SampleRandom random, Stage stage, Product product) => random.Weibull(PassDays(stage, product), StayShape);

    /// <summary>Days in a stage in which the deal is lost.</summary>
    public static double LossStay(SampleRandom random, Stage stage, Product product) => random.Weibull(LossDays(stage, product), StayShape);

    /// <summary>Expected days from qualification to won or lost.</summary>
    public static double ExpectedDaysToClose(double winProbability, double firstContactHours, Product product)
    {
        var pass = PassProbability(Stage.Qualified, winProbability);
        return (pass * ((firstContactHours / 24) + ExpectedDaysFrom(Stage.Contacted, winProbability, product)))
            + ((1 - pass) * LossDays(Stage.Qualified, product) * MeanOfScale);
    }

    /// <summary>Expected days until an open deal is won or lost; parameters as of <see cref="WinProbabilityNow"/>.</summary>
    public static double ExpectedDaysNow(Stage stage, double days, double winProbability, Product product, double daysToFirstContact)
    {
        var pass = StillPassing(stage, days, winProbability, product, daysToFirstContact);
        var stay = stage == Stage.Qualified ? daysToFirstContact : ResidualStay(PassDays(stage, product), days);
        var later = stage == Stage.Negotiating ? 0 : ExpectedDaysFrom(stage + 1, winProbability, product);
        return (pass * (stay + later)) + ((1 - pass) * ResidualStay(LossDays(stage, product), days));
    }

    /// <summary>Probability that a contact is answered: a call picked up, an e-mail replied to within two days.</summary>
    /// <param name="channel">Call or e-mail.</param>
    /// <param name="industry">The segment.</param>
    /// <param name="local">Local time of the lead.</param>
    /// <param name="gapDays">Days since the contact before; null for the first one.</param>
    /// <param name="hours">Hours since qualification; counts for the first contact.</param>
    /// <param name="interest">See <see cref="WinFacts.Interest"/>.</param>
    public static double AnswerProbability(
        Channel channel, Industry industry, DateTime local, double? gapDays, double hours, double interest)
    {
        var slot = SlotEffect(industry, IsoDay(local), local.Hour);
        var moment = gapDays is { } gap ? GapEffect(industry, gap) : 0.5 * Math.Exp(-hours / 12);
        return channel == Channel.Call
            ? Logistic(-1.0 + slot + moment + (0.40 * interest))
            : Logistic(-2.4 + (0.6 * slot) + moment + (0.50 * interest));
    }

    /// <summary>What a local weekday (ISO) and hour (0–23) add to the log-odds that a segment answers a call.</summary>
    public static double SlotEffect(Industry industry, int weekday, int hour)
    {
        var distance = (hour - industry.BestHour) / 1.6;
        return WeekdayEffect[weekday - 1] + (weekday == industry.BestWeekday ? 0.5 : 0) + (0.9 * Math.Exp(-distance * distance / 2));
    }

    /// <summary>ISO weekday and hour in which a segment answers best.</summary>
    public static (int Weekday, int Hour) BestSlot(Industry industry) =>
        Enumerable.Range(1, 7)
            .SelectMany(_ => Enumerable.Range(0, 24), (weekday, hour) => (weekday, hour))
            .MaxBy(slot => SlotEffect(industry, slot.weekday, slot.hour));

    /// <summary>What the days since the contact before add to the log-odds of an answer.</summary>
    public static double GapEffect(Industry industry, double gapDays)
    {
        var distance = Math.Log(Math.Max(gapDays, 0.04) / industry.BestGapDays) / 0.7;
        return 0.45 * Math.Exp(-distance * distance / 2);
    }

    /// <summary>Probability that one e-mail of a campaign is opened.</summary>
    public static double CampaignOpenProbability(double interest) => Logistic(-0.3 + (0.4 * interest));

    /// <summary>Probability that an opened one is clicked: variant B is better.</summary>
    public static double CampaignClickProbability(string variant, double interest) =>
        Logistic((variant is "B" ? -0.85 : -1.25) + (0.4 * interest));

    /// <summary>Probability that one is replied to: variant B is better.</summary>
    public static double CampaignReplyProbability(string variant, double interest) =>
        Logistic((variant is "B" ? -2.6 : -3.2) + (0.4 * interest));

    public static double Logistic(double logit) => 1 / (1 + Math.Exp(-logit));

    public static int IsoDay(DateTime date) => date.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)date.DayOfWeek;

    private static double StillPassing(Stage stage, double days, double winProbability, Product product, double daysToFirstContact)
    {
        var pass = PassProbability(stage, winProbability);
        var ifPassing = stage == Stage.Qualified ? Number(daysToFirstContact > 0) : Survival(PassDays(stage, product), days);
        var ifLost = Survival(LossDays(stage, product), days);
        return pass * ifPassing / ((pass * ifPassing) + ((1 - pass) * ifLost));
    }

    private static double ExpectedDaysFrom(Stage stage, double winProbability, Product product)
    {
        var expected = 0.0;
        for (var at = Stage.Negotiating; at >= stage; at--)
        {
            var pass = PassProbability(at, winProbability);
            expected = (pass * ((PassDays(at, product) * MeanOfScale) + expected)) + ((1 - pass) * LossDays(at, product) * MeanOfScale);
        }

        return expected;
    }

    private static double PassDays(Stage stage, Product product) => PassScale[(int)stage] * product.Pace;

    private static double LossDays(Stage stage, Product product) =>
        stage == Stage.Qualified ? LossScaleWithoutContact : LossFactor * PassDays(stage, product);

    private static double Survival(double scale, double days) => Math.Exp(-Math.Pow(days / scale, StayShape));

    /// <summary>Expected further stay after <paramref name="days"/>: the integral of the survival, by the midpoint rule.</summary>
    private static double ResidualStay(double scale, double days)
    {
        const int Steps = 400;
        var step = 6 * scale / Steps;
        var sum = 0.0;
        for (var i = 0; i < Steps; i++)
        {
            // The ratio of two survivals, as one exponential: each alone underflows for long stays.
            sum += Math.Exp(Math.Pow(days / scale, StayShape) - Math.Pow((days + ((i + 0.5) * step)) / scale, StayShape));
        }

        return sum * step;
    }

    private static double LogOfRelativeValue(decimal? value, Product product) =>
        value is { } known ? Math.Log((double)known / product.MedianValue) : 0;

    private static double Season(int month) => month switch
    {
        8 => -0.10,
        12 => -0.20,
        _ => 0,
    };

    private static double Number(bool flag) => flag ? 1 : 0;
}
