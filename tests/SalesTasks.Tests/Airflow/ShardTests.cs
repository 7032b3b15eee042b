using CsCheck;
using SalesTasks.Airflow;

namespace SalesTasks.Tests.Airflow;

public sealed class ShardTests
{
    [Theory]
    [InlineData("0/1", 0, 1)]
    [InlineData("0/4", 0, 4)]
    [InlineData("3/4", 3, 4)]
    [InlineData("1023/1024", 1023, 1024)]
    public void TryParse_PartOfSo_IsThatPart(string text, int index, int count)
    {
        Assert.True(Shard.TryParse(text, out var shard));
        Assert.Equal((index, count), (shard.Index, shard.Count));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/")]
    [InlineData("1")]
    [InlineData("1/")]
    [InlineData("/2")]
    [InlineData("2/2")]
    [InlineData("0/0")]
    [InlineData("-1/2")]
    [InlineData("0/-2")]
    [InlineData("+0/2")]
    [InlineData(" 0/2")]
    [InlineData("0/2 ")]
    [InlineData("0 /2")]
    [InlineData("0/1/2")]
    [InlineData("0/1025")]
    [InlineData("0/99999999999")]
    [InlineData("0,2")]
    [InlineData("0x0/2")]
    [InlineData("٠/٢")]
    public void TryParse_AnythingElse_IsRefused(string text)
    {
        Assert.False(Shard.TryParse(text, out var shard));
        Assert.True(shard.IsWhole);
    }

    [Fact]
    public void TryParse_ToString_IsTheSame() =>
        Gen.Int[1, Shard.MaxCount].SelectMany(count => Gen.Int[0, count - 1].Select(index => new Shard(index, count)))
            .Sample(shard => Shard.TryParse(shard.ToString(), out var parsed) && parsed == shard);

    [Fact]
    public void TryParse_AnyText_IsAPartOrRefused() =>
        Gen.String[Gen.Char["0123456789/-+ .x"], 0, 8].Sample(
            text => !Shard.TryParse(text, out var shard)
                || (shard.Index >= 0 && shard.Index < shard.Count && shard.Count <= Shard.MaxCount));
}
