using System.Globalization;
using SalesTasks.Demo;
using SalesTasks.Tests.Repository;

namespace SalesTasks.Tests.Demo;

/// <summary>The published truth is the one the sample is made by.</summary>
public sealed class DemoDocsTests
{
    private static readonly string[] EnglishDays = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
    private static readonly string[] SpanishDays = ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"];

    [Theory]
    [InlineData("docs/demo.md", ".", "private persons")]
    [InlineData("docs/es/demo.md", ",", "particulares")]
    public async Task Truth_OfBothLanguages_IsThatOfTheCode(string path, string point, string privatePersons)
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Checkout.Root, path), TestContext.Current.CancellationToken);

        Assert.All(SampleWorld.Sources, source => Has($"{source.Name} {Effect(source.WinEffect)}"));
        Assert.All(SampleWorld.Products, product => Has($"{product.Name} {Effect(product.WinEffect)}"));
        Assert.All(SampleWorld.Products, product => Has($"{product.Name} {Localized($"{product.Pace:0.##}")}"));
        foreach (var industry in SampleWorld.Industries.Append(SampleWorld.Private))
        {
            var name = industry.Name ?? privatePersons;
            var day = (point is "." ? EnglishDays : SpanishDays)[industry.BestWeekday - 1];
            Has($"{name} {Effect(industry.WinEffect)}");
            Has($"| {name} | {day} {industry.BestHour} | {industry.BestGapDays:0} |");
        }

        Has(Effect(SampleTruth.WelcomeEffect));
        Has(Effect(SampleTruth.BestProductEffect));
        Has(Effect(SampleTruth.WorstProductEffect).Replace("−", "− ", StringComparison.Ordinal));
        Has(Effect(SampleTruth.ForeignRegionEffect).Replace("−", "− ", StringComparison.Ordinal));
        Has("^" + Localized($"{SampleTruth.StayShape:0.#}"));

        void Has(string text) => Assert.Contains(text, page, StringComparison.Ordinal);

        string Effect(double value) => value is 0 ? "0" : Localized(value.ToString("0.00", CultureInfo.InvariantCulture));

        string Localized(string number) =>
            number.Replace("-", "−", StringComparison.Ordinal).Replace(".", point, StringComparison.Ordinal);
    }
}
