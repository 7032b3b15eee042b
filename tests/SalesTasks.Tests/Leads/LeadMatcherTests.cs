using CsCheck;
using SalesTasks.Leads;

namespace SalesTasks.Tests.Leads;

public sealed class LeadMatcherTests
{
    private static readonly PersonKeys Ana = new("A", "ana@x.example", "34600111222", "ana", "garcía");

    [Theory]
    [InlineData("ana@x.example", null, null, null, "email")]
    [InlineData("ana@x.example", "999", "other", "name", "email")]
    [InlineData(null, "34600111222", "ana", "garcía", "phone")]
    [InlineData(null, "34600111222", "ana", null, "phone")]
    [InlineData(null, "34600111222", null, null, null)]
    [InlineData(null, "34600111222", "ana", "lópez", null)]
    [InlineData(null, "34600111222", "luis", "garcía", null)]
    [InlineData("luis@x.example", "34600111222", "ana", "garcía", null)]
    [InlineData(null, null, "ana", "garcía", null)]
    public void Match_Auto_NeedsTheAddressOrANamedPhone(string? email, string? phone, string? first, string? last, string? expected) =>
        Assert.Equal(expected, Match(MatchRule.EmailOrNamedPhone, new PersonKeys("B", email, phone, first, last)));

    [Fact]
    public void Match_EmailOnly_IgnoresPhones() =>
        Assert.Null(Match(MatchRule.Email, new PersonKeys("B", null, "34600111222", "ana", "garcía")));

    [Fact]
    public void Match_EmailOrPhone_NeedsNoName() =>
        Assert.Equal("phone", Match(MatchRule.EmailOrPhone, new PersonKeys("B", "luis@x.example", "34600111222", null, null)));

    [Theory]
    [InlineData("123456")]
    [InlineData("0000000000")]
    [InlineData("")]
    [InlineData(null)]
    public void Identifying_ShortOrOneDigit_IsNot(string? phone) => Assert.Null(LeadMatcher.Identifying(phone));

    [Fact]
    public void Match_FilledIn_IsFoundByIt()
    {
        var matcher = new LeadMatcher(MatchRule.EmailOrNamedPhone, fill: true);
        Assert.Null(matcher.Match(1, new PersonKeys("A", "ana@x.example", null, "ana", null)));
        Assert.Equal("A", matcher.Match(2, new PersonKeys("B", "ana@x.example", "34600111222", null, "garcía"))?.Target);

        Assert.Equal("A", matcher.Match(3, new PersonKeys("C", null, "34600111222", "ana", "garcía"))?.Target);
    }

    /// <summary>
    /// One batch of everything against batches of one row with only the database between them, as an interruption makes them: the same
    /// people in the end.
    /// </summary>
    [Fact]
    public void Match_AnyBatches_GiveTheSamePeople()
    {
        var few = Gen.Int[0, 3];
        var row = Gen.Select(few, few, few, few, (email, phone, first, last) => new PersonKeys(
            "",
            email == 0 ? null : $"e{email}@x.example",
            phone == 0 ? null : $"60011122{phone}",
            first == 0 ? null : $"f{first}",
            last == 0 ? null : $"l{last}"));
        Gen.Select(row.Array[1, 30], Gen.Int[1, 10], Gen.Enum<MatchRule>(), Gen.Bool).Sample(
            (rows, size, rule, fill) =>
            {
                var numbered = rows.Select((keys, index) => (Seq: index + 1L, Keys: keys with { ExtId = $"R{index:00}" })).ToList();

                return Import(numbered, numbered.Count, rule, fill).SequenceEqual(Import(numbered, size, rule, fill));
            },
            iter: 2_000);
    }

    private static string? Match(MatchRule rule, PersonKeys row)
    {
        var matcher = new LeadMatcher(rule, fill: true);
        matcher.Add(Ana);
        return matcher.Match(1, row)?.MatchedBy;
    }

    /// <summary>Imports in batches into a list that stands for the table of leads; gives each row's lead.</summary>
    private static List<string> Import(List<(long Seq, PersonKeys Keys)> rows, int size, MatchRule rule, bool fill)
    {
        var leads = new List<PersonKeys>();
        var outcome = new List<string>();
        foreach (var batch in rows.Chunk(size))
        {
            var matcher = new LeadMatcher(rule, fill);
            foreach (var lead in leads.Where(lead => batch.Any(row =>
                (row.Keys.Email is not null && lead.Email == row.Keys.Email) || (row.Keys.Phone is not null && lead.Phone == row.Keys.Phone))))
            {
                matcher.Add(lead);
            }

            foreach (var (seq, keys) in batch)
            {
                var match = matcher.Match(seq, keys);
                outcome.Add(match?.Target ?? keys.ExtId);
                if (match is null)
                {
                    leads.Add(keys);
                }
                else if (fill)
                {
                    var index = leads.FindIndex(lead => lead.ExtId == match.Target);
                    var lead = leads[index];
                    leads[index] = lead with
                    {
                        Email = lead.Email ?? keys.Email,
                        Phone = lead.Phone ?? keys.Phone,
                        FirstName = lead.FirstName ?? keys.FirstName,
                        LastName = lead.LastName ?? keys.LastName,
                    };
                }
            }
        }

        return outcome;
    }
}
