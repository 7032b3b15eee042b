using Npgsql;
using SalesTasks.Predictions.Learning;

namespace SalesTasks.Predictions.Training;

/// <summary>Rows of <c>deal_features</c> as a table to learn from and to predict with.</summary>
internal sealed class FeatureRows
{
    private static readonly string[] s_categories = [DealSnapshots.StageColumn, DealSnapshots.SourceColumn, "product_interest", "industry"];

    private static readonly string[] s_numbers =
    [
        "has_phone", "days_in_stage", "days_in_pipeline", "lead_age_days", "hours_to_first_contact", "replies", "clicks", "opens", "visits", "demos",
        "pricing_views", "days_since_engagement", "completed_tasks", "pending_tasks", "email_tasks", "call_tasks", "days_since_contact",
    ];

    /// <summary>Those that grow by themselves.</summary>
    private static readonly bool[] s_agesWithTime =
        [.. s_numbers.Select(name => name is "days_in_stage" or "days_in_pipeline" or "lead_age_days" or "days_since_engagement" or "days_since_contact")];

    private readonly Dictionary<string, int>[] _levels = [.. s_categories.Select(_ => new Dictionary<string, int>(StringComparer.Ordinal))];
    private readonly List<string>[] _texts = [.. s_categories.Select(_ => new List<string>())];
    private readonly List<int>[] _codes = [.. s_categories.Select(_ => new List<int>())];
    private readonly List<float>[] _numbers = [.. s_numbers.Select(_ => new List<float>())];
    private int[]? _categoryPlaces;
    private int[] _numberPlaces = [];

    /// <summary>Names of all features.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. s_categories, .. s_numbers];

    public int Count => _codes[0].Count;

    /// <summary>Adds a row.</summary>
    /// <param name="row">With the function's columns by their names.</param>
    /// <param name="age">Turns a span in days into the one that counts; null: as it is.</param>
    public void Add(NpgsqlDataReader row, Func<double, double>? age)
    {
        if (_categoryPlaces is null)
        {
            _categoryPlaces = [.. s_categories.Select(row.GetOrdinal)];
            _numberPlaces = [.. s_numbers.Select(row.GetOrdinal)];
        }

        for (var c = 0; c < s_categories.Length; c++)
        {
            _codes[c].Add(row.IsDBNull(_categoryPlaces[c]) ? -1 : Code(c, row.GetString(_categoryPlaces[c])));
        }

        for (var n = 0; n < s_numbers.Length; n++)
        {
            var number = row.IsDBNull(_numberPlaces[n]) ? double.NaN : Number(row.GetValue(_numberPlaces[n]));
            _numbers[n].Add((float)(age is null || !s_agesWithTime[n] || double.IsNaN(number) ? number : age(number)));
        }
    }

    /// <summary>Takes the last row away again.</summary>
    public void RemoveLast()
    {
        foreach (var codes in _codes)
        {
            codes.RemoveAt(codes.Count - 1);
        }

        foreach (var numbers in _numbers)
        {
            numbers.RemoveAt(numbers.Count - 1);
        }
    }

    /// <summary>Writes the content of the last row, the same for the same content.</summary>
    public void WriteLast(BinaryWriter writer)
    {
        for (var c = 0; c < _codes.Length; c++)
        {
            writer.Write(_codes[c][^1] < 0 ? "" : _texts[c][_codes[c][^1]]);
        }

        foreach (var numbers in _numbers)
        {
            writer.Write(numbers[^1]);
        }
    }

    public DataTable Table() => new(
        [
            .. s_categories.Select((name, c) => new CategoryColumn(name, [.. _codes[c]], [.. _texts[c]])),
            .. s_numbers.Select((name, n) => new NumberColumn(name, [.. _numbers[n]])),
        ],
        Count);

    private int Code(int category, string level)
    {
        if (_levels[category].TryGetValue(level, out var code))
        {
            return code;
        }

        _levels[category].Add(level, _texts[category].Count);
        _texts[category].Add(level);
        return _texts[category].Count - 1;
    }

    private static double Number(object value) => value switch
    {
        bool flag => flag ? 1 : 0,
        int count => count,
        double amount => amount,
        _ => throw new InvalidOperationException($"A feature of type {value.GetType().Name}."),
    };
}
