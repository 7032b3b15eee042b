using System.Globalization;
using Npgsql;
using SalesTasks.Cli;
using SalesTasks.Database;
using Spectre.Console;

namespace SalesTasks.Insights;

/// <summary>A column of a table for people.</summary>
/// <param name="Name">As in the statement and in JSON.</param>
/// <param name="English">Heading.</param>
/// <param name="Spanish">Heading.</param>
/// <param name="Format">.NET format of a number; null: text.</param>
internal sealed record InsightColumn(string Name, string English, string Spanish, string? Format = null)
{
    /// <summary>Left out of the table on a terminal narrower than 110 columns; JSON has it always.</summary>
    public bool OnlyWide { get; init; }
}

/// <summary>One statement and how its rows are shown.</summary>
internal sealed record InsightTable(string Statement, string English, string Spanish, params InsightColumn[] Columns)
{
    private const int WideFrom = 110;

    private static readonly Dictionary<string, string> s_stages = new(StringComparer.Ordinal)
    {
        ["qualified"] = "Inicial",
        ["contacted"] = "Contactado",
        ["meeting_scheduled"] = "Reunión",
        ["proposal_sent"] = "Propuesta",
        ["negotiating"] = "Negociación",
        ["closed_won"] = "Ganado",
        ["closed_lost"] = "Perdido",
    };

    /// <summary>All rows, values by column name in the order of the columns.</summary>
    public async Task<List<Dictionary<string, object?>>> LoadAsync(
        NpgsqlConnection connection, (string Name, object? Value)[] parameters, CancellationToken cancellationToken) =>
        await connection.QueryStatementAsync(
            "insights/" + Statement,
            parameters,
            row => Columns.ToDictionary(
                column => column.Name,
                object? (column) => row.GetOrdinal(column.Name) is var place && row.IsDBNull(place) ? null : row.GetValue(place),
                StringComparer.Ordinal),
            cancellationToken);

    public void Write(PeopleContext context, List<Dictionary<string, object?>> rows, IReadOnlyDictionary<string, string>? words = null)
    {
        var columns = Columns.Where(column => !column.OnlyWide || context.Console.Profile.Width >= WideFrom).ToList();
        var table = new Table { Title = new TableTitle(Visible.Markup(context.Text(English, Spanish))) };
        foreach (var column in columns)
        {
            var shown = new TableColumn(Visible.Markup(context.Text(column.English, column.Spanish)));
            // Numbers are read as wholes and from the right; what gives way on a narrow terminal is text.
            table.AddColumn(column.Format is null ? shown : shown.RightAligned().NoWrap());
        }

        foreach (var row in rows)
        {
            table.AddRow([.. columns.Select(column => Visible.Markup(Cell(context, column, row[column.Name], words)))]);
        }

        context.Console.Write(table);
        if (rows.Count == 0)
        {
            context.Host.Out.WriteLine(context.Text("  nothing yet", "  nada todavía"));
        }
    }

    private static string Cell(PeopleContext context, InsightColumn column, object? value, IReadOnlyDictionary<string, string>? words) => value switch
    {
        null => column.Format is null ? "" : "–",
        string text when column.Name is "stage" => context.Text(text.Replace('_', ' '), s_stages.GetValueOrDefault(text, text)),
        string text => words?.GetValueOrDefault(text) ?? text,
        IFormattable number => number.ToString(column.Format, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}
