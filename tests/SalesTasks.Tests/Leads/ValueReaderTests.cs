using SalesTasks.Leads;

namespace SalesTasks.Tests.Leads;

public sealed class ValueReaderTests
{
    private static readonly DateTime Latest = new(2026, 3, 2, 0, 0, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData("ana@example.com", true)]
    [InlineData("Ana.García+news@sub.example.co", true)]
    [InlineData("a@b.cd", true)]
    [InlineData("ana@example", false)]
    [InlineData("ana@example.c", false)]
    [InlineData("ana@.com", false)]
    [InlineData("@example.com", false)]
    [InlineData("ana@@example.com", false)]
    [InlineData("ana@b@example.com", false)]
    [InlineData("ana example@example.com", false)]
    [InlineData("ana@example.", false)]
    [InlineData("none", false)]
    public void IsEmail_Text_IsJudgedLikeTheDatabase(string text, bool expected) => Assert.Equal(expected, ValueReader.IsEmail(text));

    [Fact]
    public void Email_NotPlausible_IsUnusableAndNoFault()
    {
        var reading = Read("email", "nobody at home");

        Assert.Equal(new Reading(null, null, "nobody at home"), reading);
    }

    [Theory]
    [InlineData("2026-01-31", "2026-01-31T00:00:00Z")]
    [InlineData("2026-01-31T10:20", "2026-01-31T10:20:00Z")]
    [InlineData("2026-01-31 10:20:30", "2026-01-31T10:20:30Z")]
    [InlineData("2026-01-31T10:20:30Z", "2026-01-31T10:20:30Z")]
    [InlineData("2026-01-31T10:20:30.123456Z", "2026-01-31T10:20:30.123456Z")]
    [InlineData("2026-01-31T10:20:30+02:00", "2026-01-31T08:20:30Z")]
    [InlineData("2026-01-31 10:20:30 +02:00", "2026-01-31T08:20:30Z")]
    [InlineData("2026-01-31 10:20:30 UTC", "2026-01-31T10:20:30Z")]
    [InlineData("1769854830", "2026-01-31T10:20:30Z")]
    [InlineData("1769854830500", "2026-01-31T10:20:30.5Z")]
    public void Instant_IsoOrUnix_IsUtc(string text, string expected)
    {
        var instant = Assert.IsType<DateTime>(Read("created_at", text).Value);

        Assert.Equal(DateTimeKind.Utc, instant.Kind);
        Assert.Equal(DateTimeOffset.Parse(expected).UtcDateTime, instant);
    }

    [Theory]
    [InlineData("31/01/2026")]
    [InlineData("2026-02-30")]
    [InlineData("20260131")]
    [InlineData("yesterday")]
    [InlineData("2026-01-31T25:00:00Z")]
    public void Instant_OfUnknownForm_IsFault(string text) => Assert.Equal(RowFaults.NoDate(Column("created_at")), Read("created_at", text).Fault);

    [Theory]
    [InlineData("1899-12-31")]
    [InlineData("2026-03-02T00:00:01Z")]
    public void Instant_OutOfRange_IsFault(string text) =>
        Assert.Equal(RowFaults.DateOutOfRange(Column("created_at")), Read("created_at", text).Fault);

    [Fact]
    public void Instant_FormatAndZone_AreApplied()
    {
        var rule = new ColumnSpec(Column("created_at"))
        {
            Formats = ["dd/MM/yyyy HH:mm", "d.M.yyyy"],
            TimeZone = TimeZoneInfo.FindSystemTimeZoneById("Europe/Madrid"),
        };

        Assert.Equal(new DateTime(2025, 7, 1, 8, 30, 0, DateTimeKind.Utc), ValueReader.Read(rule, "01/07/2025 10:30", Latest).Value);
        Assert.Equal(new DateTime(2025, 1, 8, 23, 0, 0, DateTimeKind.Utc), ValueReader.Read(rule, "9.1.2025", Latest).Value);
        Assert.Equal(RowFaults.NoDate(rule.Target), ValueReader.Read(rule, "2025-07-01", Latest).Fault);
    }

    [Theory]
    [InlineData("Yes", true)]
    [InlineData("1", true)]
    [InlineData("SÍ", true)]
    [InlineData("FALSE", false)]
    [InlineData("0", false)]
    [InlineData("no", false)]
    public void Flag_UsualWords_AreRead(string text, bool expected) => Assert.Equal(expected, Read("demo_requested", text).Value);

    [Fact]
    public void Flag_UnknownWord_IsFault() =>
        Assert.Equal(RowFaults.NoFlag(Column("demo_requested")), Read("demo_requested", "perhaps").Fault);

    [Theory]
    [InlineData("0", false)]
    [InlineData("0.5", true)]
    [InlineData("3", true)]
    [InlineData("-1", false)]
    public void Flag_Above_ComparesTheNumber(string text, bool expected) =>
        Assert.Equal(expected, ValueReader.Read(new ColumnSpec(Column("website_visited")) { Above = 0 }, text, Latest).Value);

    [Fact]
    public void Flag_OneSideListed_TakesTheRestForTheOther()
    {
        var rule = new ColumnSpec(Column("consent_email")) { No = ["opted out"] };

        Assert.Equal(false, ValueReader.Read(rule, "Opted Out", Latest).Value);
        Assert.Equal(true, ValueReader.Read(rule, "anything", Latest).Value);
    }

    [Theory]
    [InlineData("1200.505", null, "1200.51")]
    [InlineData("1.200,50", ',', "1200.5")]
    [InlineData("1 200,50", ',', "1200.5")]
    [InlineData("1,200.50", '.', "1200.5")]
    [InlineData("0", null, "0")]
    [InlineData("9999999999.99", null, "9999999999.99")]
    public void Amount_Number_IsReadToTheCent(string text, char? sign, string expected) =>
        Assert.Equal(decimal.Parse(expected), ValueReader.Read(new ColumnSpec(Column("estimated_value")) { Decimal = sign }, text, Latest).Value);

    [Theory]
    [InlineData("1,200.50", "number")]
    [InlineData("12 €", "number")]
    [InlineData("-1", "range")]
    [InlineData("10000000000", "range")]
    [InlineData("9999999999.995", "range")]
    public void Amount_Unclear_IsFault(string text, string fault)
    {
        var column = Column("estimated_value");

        Assert.Equal(fault is "number" ? RowFaults.NoNumber(column) : RowFaults.NumberOutOfRange(column), Read("estimated_value", text).Fault);
    }

    [Theory]
    [InlineData("es_MX", "es")]
    [InlineData("EN-us", "en")]
    [InlineData("de", "de")]
    [InlineData("Spanish", "Spanish")]
    public void Language_Code_LosesItsRegion(string text, string expected) => Assert.Equal(expected, Read("language", text).Value);

    [Theory]
    [InlineData("Europe/Madrid", "Europe/Madrid")]
    [InlineData("UTC", "UTC")]
    [InlineData("UTC+02", "Etc/GMT-2")]
    [InlineData("GMT-5:00", "Etc/GMT+5")]
    [InlineData("UTC+0", "UTC")]
    public void TimeZone_NameOrWholeHours_IsKnownToTheDatabase(string text, string expected) => Assert.Equal(expected, Read("time_zone", text).Value);

    [Theory]
    [InlineData("UTC+05:30")]
    [InlineData("Mars/Phobos")]
    [InlineData("UTC+99")]
    public void TimeZone_Unknown_IsUnusable(string text) => Assert.Equal(text, Read("time_zone", text).Unusable);

    [Theory]
    [InlineData("Example.com", "example.com")]
    [InlineData("https://www.example.com/contact?x=1", "example.com")]
    [InlineData("example.com:8080", "example.com")]
    public void Domain_WebAddress_IsItsDomain(string text, string expected) => Assert.Equal(expected, Read("company_domain", text).Value);

    [Fact]
    public void Text_LongestInCodePoints_IsTaken()
    {
        var longest = string.Concat(Enumerable.Repeat("😀", 32));

        Assert.Equal(longest, Read("source", longest).Value);
        Assert.Equal(RowFaults.TooLong(Column("source")), Read("source", longest + "x").Fault);
    }

    [Fact]
    public void Text_Cut_NeverSplitsACharacter()
    {
        var rule = new ColumnSpec(Column("source")) { Cut = true };

        var cut = Assert.IsType<string>(ValueReader.Read(rule, "x" + string.Concat(Enumerable.Repeat("😀", 40)), Latest).Value);

        Assert.Equal("x" + string.Concat(Enumerable.Repeat("😀", 15)), cut);
    }

    [Theory]
    [InlineData("Email Opened", "open")]
    [InlineData("email.clicked", "click")]
    [InlineData("REPLY", "reply")]
    [InlineData("Page Visited on Website", "visit")]
    [InlineData("demo_requested", "demo")]
    [InlineData("pricing-page-viewed", "pricing")]
    [InlineData("delivered", "")]
    [InlineData("Email Bounced", "")]
    public void EventType_OtherNames_AreKnown(string text, string expected) =>
        Assert.Equal(expected, ValueReader.Read(new ColumnSpec(EventColumns.EventType), text, Latest).Value);

    [Fact]
    public void EventType_Unknown_IsFault() =>
        Assert.Equal(RowFaults.NoEventType(EventColumns.EventType), ValueReader.Read(new ColumnSpec(EventColumns.EventType), "danced", Latest).Fault);

    private static TargetColumn Column(string name) => LeadColumns.All.Single(column => column.Name == name);

    private static Reading Read(string column, string text) => ValueReader.Read(new ColumnSpec(Column(column)), text, Latest);
}
