using System.Text;

namespace SalesTasks.Tests.Predictions;

/// <summary>CSV files for a test, in a folder of its own.</summary>
internal sealed class ExportFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("sales-tasks-export-").FullName;

    /// <summary>Of the deals written last: the probabilities their outcomes were drawn from.</summary>
    public List<double> Truth { get; } = [];

    /// <summary>And the outcomes.</summary>
    public List<bool> Outcomes { get; } = [];

    public void Dispose() => Directory.Delete(Path, recursive: true);

    public string Write(string name, params IEnumerable<string> lines) => Write(name, new UTF8Encoding(false), lines);

    public string Write(string name, Encoding encoding, IEnumerable<string> lines)
    {
        var path = System.IO.Path.Combine(Path, name);
        File.WriteAllLines(path, lines, encoding);
        return path;
    }

    /// <summary>
    /// A sales export of many shapes with a known truth: the outcome depends on the industry, the amount, the company (many of them) and the
    /// note; keys, a constant column and two weekday-less dates say nothing.
    /// </summary>
    /// <param name="name">The file's name.</param>
    /// <param name="rows">How many deals.</param>
    /// <param name="signal">0: the outcome depends on nothing.</param>
    /// <param name="intercept">Log-odds of the average deal.</param>
    /// <param name="won">The positive label's text.</param>
    /// <param name="lost">The other label's text.</param>
    public string Deals(string name, int rows, double signal = 1, double intercept = -0.5, string won = "Won", string lost = "Lost")
    {
        string[] industries = ["Retail", "Software", "Health, public", "Bank \"A\""];
        double[] effects = [-1.2, 1.0, 0.3, 0];
        string[] words = ["budget approved by the board", "asked for a discount again", "no answer since last week", "wants a pilot in spring"];
        double[] wordEffects = [1.0, -0.2, -1.0, 0.3];
        var random = new Random(rows);
        var companies = Math.Max(rows / 20, 5);
        var companyEffects = Enumerable.Range(0, companies).Select(_ => (random.NextDouble() * 2) - 1).ToArray();
        Truth.Clear();
        Outcomes.Clear();
        IEnumerable<string> Lines()
        {
            yield return "Deal Id;Industry;Amount;Company;Note;Created;Currency;E-mail;Result";
            for (var i = 0; i < rows; i++)
            {
                var industry = random.Next(industries.Length);
                var amount = Math.Exp(7 + random.NextDouble() * 3);
                var company = random.Next(companies);
                var note = random.Next(words.Length);
                var logit = intercept + (signal * (effects[industry] + (0.8 * (Math.Log(amount) - 8.5)) + companyEffects[company] + wordEffects[note]));
                var amountText = random.NextDouble() < 0.1 ? "n/a" : amount.ToString("#,##0.00", System.Globalization.CultureInfo.InvariantCulture);
                var created = new DateTime(2024, 1, 1, 8, 0, 0, DateTimeKind.Utc).AddHours(i * 3.7);
                yield return string.Join(';',
                    $"D-{i:X6}", '"' + industries[industry].Replace("\"", "\"\"", StringComparison.Ordinal) + '"', amountText, $"Company {company}",
                    $"{words[note]}, call {i}", created.ToString("dd/MM/yyyy HH:mm", System.Globalization.CultureInfo.InvariantCulture), "EUR",
                    $"person{i}@company{company}.example", Draw(random, logit) ? won : lost);
            }
        }

        return Write(name, Lines());
    }

    private bool Draw(Random random, double logit)
    {
        Truth.Add(1 / (1 + Math.Exp(-logit)));
        Outcomes.Add(random.NextDouble() < Truth[^1]);
        return Outcomes[^1];
    }
}
