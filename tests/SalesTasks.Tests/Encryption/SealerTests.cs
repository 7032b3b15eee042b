using System.Text.RegularExpressions;
using CsCheck;
using SalesTasks.Encryption;
using SalesTasks.Leads;

namespace SalesTasks.Tests.Encryption;

public sealed class SealerTests
{
    private static readonly Gen<string> s_phones = Gen.Char["0123456789+-() .xé"].Array[1, 24].Select(c => new string(c));

    [Fact]
    public void PhoneToken_OfAnyText_SaysOfItWhatScoringAndMatchingAsk()
    {
        var sealer = Keys.Sealer();

        s_phones.Sample(phone =>
        {
            var token = sealer.PhoneToken(phone);
            Assert.True(token.Length <= 63 && Sealer.IsToken(token), token);
            Assert.Equal([token], Sealer.TokensIn($"call {token}, then"));
            // As leads.has_phone is generated, and as the index and the matcher compare.
            Assert.Equal(Regex.IsMatch(phone, "([0-9][^0-9]*){6}"), Regex.IsMatch(token, "([0-9][^0-9]*){6}"));
            Assert.Equal(LeadMatcher.Identifying(PhoneDigits.Of(phone)) is null, LeadMatcher.Identifying(PhoneDigits.Of(token)) is null);
        });
    }

    [Fact]
    public void PhoneToken_OfOneNumberInTwoSpellings_HasTheSameDigitsAndIsNotTheSame()
    {
        var sealer = Keys.Sealer();
        var (plain, spaced) = (sealer.PhoneToken("+34600123456"), sealer.PhoneToken("+34 600 12 34 56"));

        Assert.Equal(PhoneDigits.Of(plain), PhoneDigits.Of(spaced));
        Assert.NotEqual(plain, spaced);
        Assert.NotEqual(PhoneDigits.Of(plain), PhoneDigits.Of(sealer.PhoneToken("+34600123457")));
        Assert.NotEqual(plain, Keys.Sealer(index: 98).PhoneToken("+34600123456"));
    }

    [Fact]
    public void NotesToken_OfEqualNotes_DiffersByLead()
    {
        var sealer = Keys.Sealer();

        Assert.NotEqual(sealer.NotesToken(1, "no answer"), sealer.NotesToken(2, "no answer"));
        Assert.Equal(sealer.NotesToken(1, "no answer"), sealer.NotesToken(1, "no answer"));
    }

    [Fact]
    public void Open_WhatWasSealed_IsTheText() => Gen.Select(Gen.String, Gen.Long[1, long.MaxValue]).Sample((text, lead) =>
    {
        var sealer = Keys.Sealer();
        // Text that UTF-8 can carry.
        text = System.Text.Encoding.UTF8.GetString(System.Text.Encoding.UTF8.GetBytes(text));
        Assert.Equal(text, sealer.Open(lead, "t", sealer.Seal(lead, "t", text)));
    });

    [Fact]
    public void Open_WithAnyByteChanged_IsRefused()
    {
        var sealer = Keys.Sealer();
        var envelope = sealer.Seal(7, "token", "+34600123456");
        for (var i = 0; i < envelope.Length; i++)
        {
            var changed = envelope.ToArray();
            changed[i] ^= 1;
            Assert.Throws<SealBrokenException>(() => sealer.Open(7, "token", changed));
        }

        for (var length = 0; length < envelope.Length; length++)
        {
            Assert.Throws<SealBrokenException>(() => sealer.Open(7, "token", envelope[..length]));
        }
    }

    [Fact]
    public void Open_AtAnotherPlace_IsRefused()
    {
        var sealer = Keys.Sealer();
        var envelope = sealer.Seal(7, "token", "+34600123456");

        Assert.Throws<SealBrokenException>(() => sealer.Open(8, "token", envelope));
        Assert.Throws<SealBrokenException>(() => sealer.Open(7, "other", envelope));
        var text = sealer.SealText(SealedPlaces.Link(1, "our_base", "phone"), "+34600123456");
        Assert.Throws<SealBrokenException>(() => sealer.OpenText(SealedPlaces.Link(2, "our_base", "phone"), text));
        Assert.Throws<SealBrokenException>(() => sealer.OpenText(SealedPlaces.Link(1, "their_base", "phone"), text));
    }

    [Fact]
    public void Open_WithoutItsKey_NamesTheKeyAndWithAnotherUnderItsIdIsRefused()
    {
        var envelope = Keys.Sealer("k1").Seal(7, "token", "+34600123456");

        var missing = Assert.Throws<SealBrokenException>(() => Keys.Sealer("k2", 2).Open(7, "token", envelope));
        Assert.Contains("'k1'", missing.Message, StringComparison.Ordinal);
        Assert.Equal("+34600123456", Keys.Sealer("k2", 2, 99, ("k1", 1)).Open(7, "token", envelope));
        Assert.Throws<SealBrokenException>(() => Keys.Sealer("k1", 3).Open(7, "token", envelope));
    }

    [Theory]
    [InlineData("""{"conn_type": "generic"}""", "login must be the id")]
    [InlineData("""{"conn_type": "generic", "login": "K 1"}""", "login must be the id")]
    [InlineData("""{"conn_type": "generic", "login": "k1", "password": "s3cret-too-short", "extra": {"index_secret": "INDEX"}}""", "password is no key")]
    [InlineData("""{"conn_type": "generic", "login": "k1", "password": "KEY"}""", "extra index_secret is missing")]
    [InlineData("""{"conn_type": "generic", "login": "k1", "password": "KEY", "extra": {"index_secret": "KEY"}}""", "two of its keys are the same")]
    [InlineData("""{"conn_type": "generic", "login": "k1", "password": "KEY", "extra": {"index_secret": "INDEX", "older_secrets": {"k1": "OLD"}}}""", "the current key's")]
    [InlineData("""{"conn_type": "generic", "login": "k1", "password": "KEY", "extra": {"index_secret": "INDEX", "older_secrets": ["OLD"]}}""", "not a JSON object")]
    [InlineData("""{"conn_type": "generic", "login": "k1", "password": "KEY", "extra": {"index_secret": "INDEX", "older_secrets": {"k0": "x"}}}""", "is no key")]
    [InlineData("""{"conn_type": "generic", "login": "k1", "password": "KEY", "extra": {"index_secret": "INDEX", "index_key": "OLD"}}""", "index_secret, older_secrets")]
    public void Keys_WithAFault_AreRefusedWithoutShowingAnyKey(string connection, string fault)
    {
        connection = connection.Replace("KEY", Keys.Text(1), StringComparison.Ordinal).Replace("INDEX", Keys.Text(99), StringComparison.Ordinal)
            .Replace("OLD", Keys.Text(2), StringComparison.Ordinal);

        var refused = Assert.Throws<JobException>(() => Keys.Read(connection));

        Assert.Equal(ExitCode.Usage, refused.ExitCode);
        Assert.Contains("sales_encryption", refused.Message, StringComparison.Ordinal);
        Assert.Contains(fault, refused.Message, StringComparison.Ordinal);
        Assert.All([Keys.Text(1), Keys.Text(2), Keys.Text(99), "s3cret"], key => Assert.DoesNotContain(key, refused.Message, StringComparison.Ordinal));
    }

    [Fact]
    public void Keys_AsAUri_AreRead()
    {
        string Part(byte number) => Uri.EscapeDataString(Keys.Text(number));
        var keys = Keys.Read($"generic://k2:{Part(2)}@/?index_secret={Part(99)}&older_secrets={Uri.EscapeDataString($$"""{"k1": "{{Keys.Text(1)}}"}""")}");

        Assert.Equal("k2", keys.Current);
        Assert.NotNull(keys.Find("k1"));
    }
}
