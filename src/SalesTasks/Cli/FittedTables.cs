using Spectre.Console;
using Spectre.Console.Rendering;

namespace SalesTasks.Cli;

/// <summary>
/// Tables that are wider than the terminal: columns share its width so that short columns stay on one line and words stay whole, all but long ones such as
/// addresses. Where that leaves no room, each row is shown as a list of its own, as psql does with <c>\x auto</c>.
/// </summary>
internal sealed class FittedTables : IRenderHook
{
    /// <summary>Border and padding of a table: one before, three from column to column.</summary>
    private const int Edge = 1;
    private const int Between = 3;

    /// <summary>Longer words may be broken: a list of fifty reps is easier to read with broken addresses than row by row.</summary>
    private const int LongWord = 16;

    public IEnumerable<IRenderable> Process(RenderOptions options, IEnumerable<IRenderable> renderables) =>
        renderables.Select(r => r is Table table ? Fit(table, options) : r);

    private static Table Fit(Table table, RenderOptions options)
    {
        var room = options.ConsoleSize.Width - Edge - (Between * table.Columns.Count);
        var sizes = table.Columns.Select((column, i) => Size(table, column, i, options)).ToList();
        if (sizes.Sum(s => s.Max) <= room)
        {
            return table;
        }

        if (sizes.Sum(s => s.Min) > room)
        {
            // A list of names and values has nowhere to go: its values are broken.
            return table.Columns.Count > 2 && table.ShowHeaders ? Listed(table, options) : table;
        }

        // The columns that want least are served first, each at most with its share of what is left.
        var spare = room - sizes.Sum(s => s.Min);
        var waiting = sizes.Count;
        foreach (var (size, column) in sizes.Zip(table.Columns).OrderBy(pair => pair.First.Max - pair.First.Min))
        {
            var given = Math.Min(size.Max - size.Min, spare / waiting--);
            column.Width = size.Min + given;
            spare -= given;
        }

        return table;
    }

    private static Measurement Size(Table table, TableColumn column, int place, RenderOptions options)
    {
        var cells = table.Rows.Where(row => row.Count > place).Select(row => row[place]).Append(table.ShowHeaders ? column.Header : Text.Empty)
            .Select(cell => cell.Measure(options, int.MaxValue)).ToList();
        var max = cells.Max(c => c.Max);
        return new Measurement(column.NoWrap ? max : Math.Min(cells.Max(c => c.Min), LongWord), max);
    }

    private static Table Listed(Table table, RenderOptions options)
    {
        var list = new Table { Title = table.Title }.HideHeaders().AddColumn(new TableColumn("").NoWrap()).AddColumn("");
        foreach (var row in table.Rows)
        {
            if (list.Rows.Count > 0)
            {
                list.AddEmptyRow();
            }

            foreach (var (column, cell) in table.Columns.Zip(row).Where(pair => pair.Second.Measure(options, int.MaxValue).Max > 0))
            {
                list.AddRow(column.Header, cell);
            }
        }

        return Fit(list, options);
    }
}
