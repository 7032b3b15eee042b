using System.CommandLine;
using System.CommandLine.Parsing;
using SalesTasks.Airflow;

namespace SalesTasks.Cli;

/// <summary>
/// What is wrong with a command line, in the words every other fault has: the thing, its value, what is allowed. The parser's own texts
/// quote values in full and name .NET types.
/// </summary>
internal static class UsageFaults
{
    /// <summary>One line a fault, in the order of the command line; empty where there is none.</summary>
    public static List<string> Of(ParseResult parse)
    {
        // The parser takes a first word in square brackets for an instruction to itself and drops it.
        var faults = parse.Tokens.Where(token => token.Type == TokenType.Directive).Select(token => token.Value)
            .Concat(parse.UnmatchedTokens)
            .Select(word => $"{Quoted.Text(word)} is not known here")
            .Distinct(StringComparer.Ordinal)
            .ToList();
        if (faults.Count > 0)
        {
            faults.Add("allowed here: " + string.Join(", ", Words(parse.CommandResult.Command)));
        }

        var options = parse.CommandResult.Children.OfType<OptionResult>().ToList();
        // "--dry-run --dry-run=false" would pass the parser, and the last would win.
        var repeated = options.Where(o => o.IdentifierTokenCount > 1 && o.Option.Arity.MaximumNumberOfValues <= 1).ToList();
        faults.AddRange(repeated.Select(o => $"{o.Option.Name}: it is given {o.IdentifierTokenCount} times; allowed: once"));
        // "--comment --dry-run" would have the comment "--dry-run", and run for real.
        var names = parse.CommandResult.Command.Options.Select(o => o.Name).ToList();
        faults.AddRange(options.SelectMany(o => o.Tokens
            .Where(t => names.Contains(t.Value))
            .Select(t => $"{o.Option.Name}: a value is missing before {t.Value}")));

        foreach (var error in parse.Errors.Where(e => !repeated.Contains(e.SymbolResult)))
        {
            switch (error.SymbolResult)
            {
                case OptionResult option:
                    faults.Add(Fault(option));
                    break;
                case ArgumentResult { Parent: OptionResult option }:
                    faults.Add(Fault(option));
                    break;
                case ArgumentResult argument:
                    faults.Add(argument.Tokens.Count == 0
                        ? $"{argument.Argument.Name}: it is missing; allowed: {argument.Argument.Description}"
                        : $"{argument.Argument.Name}: {Quoted.Text(argument.Tokens[^1].Value)} is not allowed; allowed: {argument.Argument.Description}");
                    break;
                case CommandResult { Command.Subcommands.Count: > 0 } group when parse.UnmatchedTokens.Count == 0:
                    faults.Add("name a command; allowed: " + string.Join(", ", Words(group.Command)));
                    break;
                case CommandResult command when parse.UnmatchedTokens.Count == 0:
                    faults.AddRange(command.Command.Arguments.Select(a => $"{a.Name}: it is missing; allowed: {a.Description}"));
                    break;
                default:
                    // Told as an unmatched token.
                    break;
            }
        }

        return faults.Count == 0 ? [.. parse.Errors.Select(e => e.Message)] : faults;
    }

    private static string Fault(OptionResult given)
    {
        var allowed = given.Option.Description;
        return given.Tokens.Count == 0
            ? $"{given.Option.Name}: a value is missing; allowed: {allowed}"
            : $"{given.Option.Name}: {Quoted.Text(given.Tokens[^1].Value)} is not allowed; allowed: {allowed}";
    }

    private static IEnumerable<string> Words(Command command) => command.Subcommands.Count > 0
        ? command.Subcommands.Select(c => c.Name).Order(StringComparer.Ordinal)
        : command.Arguments.Select(a => $"<{a.Name}>").Concat(command.Options.Select(o => o.Name));
}
