using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Fluid;
using Fluid.Values;

namespace SalesTasks.Campaigns;

/// <summary>What a template can say about a lead; null where nothing is known.</summary>
internal sealed record LeadFacts
{
    /// <summary>Longer values are cut: no text to a person needs them.</summary>
    private const int LongestValue = 500;

    /// <summary>Attributes of a lead source that templates can read.</summary>
    private const int MostAttributes = 200;

    /// <summary>Every name a template may use.</summary>
    public static readonly string[] Names =
    [
        "first_name", "last_name", "full_name", "email", "phone", "company_name", "company_domain", "industry", "product_interest", "country",
        "region", "source", "utm_source", "utm_campaign", "score", "priority", "stage", "estimated_value", "days_in_pipeline",
        "days_since_contact", "rep_name", "rep_email", "campaign", "step", "lead_ext_id", "language", "attributes",
    ];

    public required string LeadExtId { get; init; }

    public required DateTimeOffset Now { get; init; }

    public string? FirstName { get; init; }

    public string? LastName { get; init; }

    public string? Email { get; init; }

    public string? Phone { get; init; }

    public string? CompanyName { get; init; }

    public string? CompanyDomain { get; init; }

    public string? Industry { get; init; }

    public string? ProductInterest { get; init; }

    public string? Country { get; init; }

    public string? Region { get; init; }

    public string? Language { get; init; }

    public string? Source { get; init; }

    public string? UtmSource { get; init; }

    public string? UtmCampaign { get; init; }

    public int? Score { get; init; }

    public string? Priority { get; init; }

    public string? Stage { get; init; }

    public decimal? EstimatedValue { get; init; }

    public int? DaysInPipeline { get; init; }

    public int? DaysSinceContact { get; init; }

    public string? RepName { get; init; }

    public string? RepEmail { get; init; }

    public string? CampaignName { get; init; }

    /// <summary>From 1.</summary>
    public int Step { get; init; } = 1;

    /// <summary>Further columns of the lead source, a JSON object; null where there are none.</summary>
    public string? AttributesJson { get; init; }

    public void AddTo(TemplateContext context, string language)
    {
        void Text(string name, string? value, string english = "", string spanish = "") =>
            context.SetValue(name, Value(value) ?? (FluidValue)new MissingValue(language is Languages.Spanish ? spanish : english));

        void Number(string name, decimal? value) =>
            context.SetValue(name, value is { } number ? NumberValue.Create(number) : new MissingValue(""));

        Text("first_name", FirstName, "there", "qué tal");
        Text("last_name", LastName);
        Text("full_name", $"{Trimmed(FirstName)} {Trimmed(LastName)}", "there", "qué tal");
        Text("email", Email);
        Text("phone", Phone);
        Text("company_name", CompanyName, "your company", "tu empresa");
        Text("company_domain", CompanyDomain);
        Text("industry", Industry, "your industry", "tu sector");
        Text("product_interest", ProductInterest, "our products", "nuestros productos");
        Text("country", Country);
        Text("region", Region);
        Text("language", language);
        Text("source", Source);
        Text("utm_source", UtmSource);
        Text("utm_campaign", UtmCampaign);
        Number("score", Score);
        Text("priority", Priority);
        Text("stage", Stage);
        Number("estimated_value", EstimatedValue);
        Number("days_in_pipeline", DaysInPipeline);
        Number("days_since_contact", DaysSinceContact);
        Text("rep_name", RepName, "The sales team", "El equipo comercial");
        Text("rep_email", RepEmail);
        Text("campaign", CampaignName);
        Number("step", Step);
        Text("lead_ext_id", LeadExtId);
        context.SetValue("attributes", new AttributesValue(AttributesJson));
    }

    private static string? Trimmed(string? value) => Value(value)?.ToStringValue();

    private static StringValue? Value(string? value)
    {
        var text = value?.Trim();
        return string.IsNullOrEmpty(text) ? null
            : new StringValue(text.Length <= LongestValue ? text : text[..(char.IsHighSurrogate(text[LongestValue - 1]) ? LongestValue - 1 : LongestValue)]);
    }

    /// <summary>
    /// A fact that is not known. To conditions and to <c>default</c> it is nothing, so that a template's own fallback comes first; written
    /// without one it is the house's.
    /// </summary>
    private sealed class MissingValue(string fallback) : FluidValue
    {
        public override FluidValues Type => FluidValues.Nil;

        public override bool IsNil() => true;

        public override bool Equals(FluidValue? other) =>
            other is not null && (other.IsNil() || other == BlankValue.Instance || other == EmptyValue.Instance);

        public override bool Equals(object? obj) => obj is FluidValue other && Equals(other);

        public override int GetHashCode() => 0;

        public override bool ToBooleanValue() => false;

        public override decimal ToNumberValue() => 0;

        public override string ToStringValue() => fallback;

        public override object? ToObjectValue() => null;

        public override ValueTask WriteToAsync(TextWriter writer, TextEncoder encoder, CultureInfo cultureInfo) =>
            StringValue.Create(fallback).WriteToAsync(writer, encoder, cultureInfo);
    }

    /// <summary>The attributes of the lead source: texts, numbers and flags by name; read when a template asks for one.</summary>
    private sealed class AttributesValue(string? json) : FluidValue
    {
        private Dictionary<string, FluidValue>? _values;

        public override FluidValues Type => FluidValues.Dictionary;

        public override ValueTask<FluidValue> GetValueAsync(string name, TemplateContext context) =>
            new((_values ??= Read()).TryGetValue(name, out var value) ? value : new MissingValue(""));

        public override ValueTask<FluidValue> GetIndexAsync(FluidValue index, TemplateContext context) =>
            GetValueAsync(index.ToStringValue(), context);

        public override bool Equals(FluidValue? other) => ReferenceEquals(this, other);

        public override bool Equals(object? obj) => ReferenceEquals(this, obj);

        public override int GetHashCode() => 1;

        public override bool ToBooleanValue() => json is not null;

        public override decimal ToNumberValue() => 0;

        public override string ToStringValue() => "";

        public override object ToObjectValue() => this;

        private Dictionary<string, FluidValue> Read()
        {
            var values = new Dictionary<string, FluidValue>(StringComparer.OrdinalIgnoreCase);
            if (json is null)
            {
                return values;
            }

            using var document = JsonDocument.Parse(json);
            if (document.RootElement.ValueKind is not JsonValueKind.Object)
            {
                return values;
            }

            foreach (var member in document.RootElement.EnumerateObject().Take(MostAttributes))
            {
                if (member.Value.ValueKind is JsonValueKind.String or JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False
                    && Value(member.Value.ToString()) is { } value)
                {
                    values[member.Name] = value;
                }
            }

            return values;
        }
    }
}
