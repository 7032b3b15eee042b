using System.CommandLine;
using System.Globalization;

namespace SalesTasks.Cli;

/// <summary>Options of commands for people that take a whole number within limits. Help and refusals tell the limits, as those of a job's parameter do.</summary>
internal static class WholeNumber
{
    public static Option<int> Option(string name, string description, int standard, int min, int max = int.MaxValue) => new(name)
    {
        Description = string.Create(CultureInfo.InvariantCulture, $"{description} [a whole number from {min}{(max == int.MaxValue ? "" : $" to {max}")}]"),
        DefaultValueFactory = _ => standard,
        // A validator is called for words that are no number as well, and cannot ask for one then.
        CustomParser = result =>
        {
            if (!int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < min || number > max)
            {
                result.AddError("out of range");
            }

            return number;
        },
    };
}
