using System.Text.RegularExpressions;
using SalesTasks.Database;

namespace SalesTasks.Validation;

/// <summary>An object that the migrations leave behind.</summary>
/// <param name="Kind">table, view, materialized view, index, function, type or trigger.</param>
/// <param name="Name">Without schema.</param>
/// <param name="OnTable">A trigger's table; empty for the others.</param>
/// <param name="Fix">What brings it back: the statement itself, or the file that holds it.</param>
internal sealed record ExpectedObject(string Kind, string Name, string OnTable, string Fix);

/// <summary>
/// What the schema must hold, read out of the migrations themselves, so that there is no second list to keep. The migrations are our own text in
/// one style; a test holds that what is found here is what a migrated database has.
/// </summary>
internal static partial class ExpectedSchema
{
    public static IReadOnlyList<ExpectedObject> Of(IReadOnlyList<Migration> migrations)
    {
        var objects = new Dictionary<(string Kind, string Name, string OnTable), ExpectedObject>();
        foreach (var migration in migrations)
        {
            foreach (Match statement in Statement().Matches(migration.Text))
            {
                var kind = statement.Groups["kind"].Value.ToLowerInvariant();
                var name = statement.Groups["name"].Value;
                var table = statement.Groups["table"].Value;
                if (statement.Groups["create"].Success)
                {
                    // A function's text ends at a later semicolon than its first.
                    var fix = kind is "index" or "trigger"
                        ? Spaces().Replace(statement.Value.TrimEnd(';'), " ")
                        : $"see sql/migrations/{migration.FullName}.sql";
                    objects[(kind, name, kind is "trigger" ? table : "")] = new ExpectedObject(kind, name, kind is "trigger" ? table : "", fix);
                }
                else
                {
                    objects.Remove((kind, name, kind is "trigger" ? table : ""));
                }
            }
        }

        return [.. objects.Values];
    }

    // Statements begin a line; bodies of functions are indented. A trigger's first ON comes before its table, as does an index's.
    [GeneratedRegex(
        """
        ^(?:
          (?<create>CREATE)\ (?:OR\ REPLACE\ |UNIQUE\ |UNLOGGED\ |CONSTRAINT\ )*
          (?:(?<kind>TRIGGER|INDEX)\ (?:CONCURRENTLY\ )?(?:IF\ NOT\ EXISTS\ )?(?<name>\w+)\s[^;]*?\bON\ (?:ONLY\ )?(?<table>\w+)[^;]*;
            |(?<kind>TABLE|VIEW|MATERIALIZED\ VIEW|FUNCTION|TYPE)\ (?:IF\ NOT\ EXISTS\ )?(?<name>\w+))
          |DROP\ (?<kind>TABLE|VIEW|MATERIALIZED\ VIEW|FUNCTION|TYPE|INDEX|TRIGGER)\ (?:IF\ EXISTS\ )?(?<name>\w+)(?:\ ON\ (?<table>\w+))?
        )
        """,
        RegexOptions.Multiline | RegexOptions.ExplicitCapture | RegexOptions.IgnorePatternWhitespace)]
    private static partial Regex Statement();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();
}
