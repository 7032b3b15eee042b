using System.Text.Json;
using SalesTasks.Tests.Dags;
using SalesTasks.Tests.Repository;

[assembly: AssemblyFixture(typeof(DagFiles))]

namespace SalesTasks.Tests.Dags;

/// <summary>What the files in <c>dags</c> say, read once by <c>tests/dags/read_dags.py</c>, which does not run them.</summary>
public sealed class DagFiles
{
    private readonly Lazy<Task<JsonElement>> _document =
        new(() => Python.JsonAsync($"{Checkout.Root}/tests/dags/read_dags.py", $"{Checkout.Root}/dags"));

    public Task<JsonElement> ReadAsync() => _document.Value;

    /// <summary>The DAG of a file by its id.</summary>
    public async Task<JsonElement> DagAsync(string id) => (await AllAsync()).Single(dag => Text(dag, "id") == id);

    public async Task<IReadOnlyList<JsonElement>> AllAsync() => [.. (await ReadAsync()).GetProperty("dags").EnumerateArray()];

    internal static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>The texts of a list; none where it is not given.</summary>
    internal static IReadOnlyList<string> Texts(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? [.. value.EnumerateArray().Select(item => item.GetString()!)] : [];
}
