using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace SalesTasks.Campaigns;

/// <summary>
/// Which variant a lead gets. A hash of campaign and lead puts the lead at a point between 0 and 1, and the weights divide that line: the
/// same lead has the same point in every step, at every retry and on every machine, and nothing has to be stored to know it.
/// </summary>
internal static class VariantChoice
{
    public static Variant Choose(IReadOnlyList<Variant> variants, long campaignId, string leadExtId)
    {
        if (variants.Count == 1)
        {
            return variants[0];
        }

        var point = Point(campaignId, leadExtId) * variants.Sum(variant => (double)variant.Weight);
        foreach (var variant in variants)
        {
            if (point < variant.Weight)
            {
                return variant;
            }

            point -= variant.Weight;
        }

        return variants[^1];
    }

    /// <summary>At least 0, below 1; 53 bits of SHA-256.</summary>
    internal static double Point(long campaignId, string leadExtId)
    {
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"variant/{campaignId}/{leadExtId}")));
        return (BinaryPrimitives.ReadUInt64BigEndian(hash) >> 11) * (1.0 / (1UL << 53));
    }
}
