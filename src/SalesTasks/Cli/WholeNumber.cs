using System.CommandLine;
using System.Globalization;

namespace SalesTasks.Cli;

/// <summary>Options that take a whole number within a range.</summary>
internal static class WholeNumber
{
    /// <param name="name">With its dashes.</param>
    /// <param name="description">What it is; the range is added, so that a fault tells what is allowed.</param>
    /// <param name="standard">Where it is left out.</param>
    /// <param name="from">The smallest.</param>
    /// <param name="to">The largest.</param>
    public static Option<int> Option(string name, string description, int standard, int from = 1, int to = int.MaxValue) => new(name)
    {
        Description = description + (to == int.MaxValue
            ? string.Create(CultureInfo.InvariantCulture, $", from {from}")
            : string.Create(CultureInfo.InvariantCulture, $", {from} to {to}")),
        DefaultValueFactory = _ => standard,
        CustomParser = result =>
        {
            if (!int.TryParse(result.Tokens[0].Value, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < from || number > to)
            {
                // The fault that is shown names the value and quotes the description.
                result.AddError("out of range");
            }

            return number;
        },
    };
}
