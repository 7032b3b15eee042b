using SalesTasks.Cli;
using Spectre.Console;

namespace SalesTasks.Tests.Cli;

/// <summary>Tables on terminals of any width: usual words stay whole, nothing is cut off.</summary>
public sealed class FittedTablesTests
{
    [Fact]
    public void Write_TableThatFits_IsAsItIs() => Assert.Equal(
        """
        ┌──────┬──────────────────┬──────────────────────────────┐
        │ Id   │ When (UTC)       │ Reason                       │
        ├──────┼──────────────────┼──────────────────────────────┤
        │ 1345 │ 2026-11-26 05:09 │ restored from a backup: sent │
        │      │                  │ perhaps after it was taken   │
        └──────┴──────────────────┴──────────────────────────────┘
        """,
        Written(80, "restored from a backup: sent\nperhaps after it was taken"));

    [Fact]
    public void Write_TooWide_WrapsTheLongestColumnAndNoWord() => Assert.Equal(
        """
        ┌──────┬──────────────────┬────────────────────┐
        │ Id   │ When (UTC)       │ Reason             │
        ├──────┼──────────────────┼────────────────────┤
        │ 1345 │ 2026-11-26 05:09 │ restored from a    │
        │      │                  │ backup: sent       │
        │      │                  │ perhaps after it   │
        │      │                  │ was taken          │
        └──────┴──────────────────┴────────────────────┘
        """,
        Written(48, "restored from a backup: sent perhaps after it was taken"));

    [Fact]
    public void Write_NoRoomForTheWords_ListsEachRowWithoutEmptyCells() => Assert.Equal(
        """
        ┌────────────┬───────────────┐
        │ Id         │ 1345          │
        │ When (UTC) │ 2026-11-26    │
        │            │ 05:09         │
        │ Reason     │ restored      │
        │            │               │
        │ Id         │ 1345          │
        │ When (UTC) │ 2026-11-26    │
        │            │ 05:09         │
        └────────────┴───────────────┘
        """,
        Written(30, "restored", ""));

    [Fact]
    public void Write_LongWordsWithoutRoom_AreBrokenAndNothingIsLost()
    {
        Assert.All([20, 25, 40, 50], width =>
        {
            var text = Written(width, new string('x', 40));

            Assert.Equal(40, text.Count(c => c == 'x'));
            Assert.All(text.Split('\n'), line => Assert.InRange(line.Length, 0, width));
        });
    }

    private static string Written(int width, params string[] reasons)
    {
        using var output = new StringWriter { NewLine = "\n" };
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output), Ansi = AnsiSupport.No });
        console.Profile.Width = width;
        console.Pipeline.Attach(new FittedTables());
        var table = new Table().AddColumns("Id", "When (UTC)", "Reason");
        foreach (var reason in reasons)
        {
            table.AddRow("1345", "2026-11-26 05:09", reason);
        }

        console.Write(table);
        return string.Join('\n', output.ToString().Split('\n').Select(line => line.TrimEnd())).TrimEnd();
    }
}
