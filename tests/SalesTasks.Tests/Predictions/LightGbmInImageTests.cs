using System.Text.Json;
using SalesTasks.Tests.Image;
using SalesTasks.Tests.TestBase;

namespace SalesTasks.Tests.Predictions;

/// <summary>The image has all that LightGBM loads, as a user without rights and on a read-only root file system.</summary>
public sealed class LightGbmInImageTests(BuiltImage image) : IDisposable
{
    private readonly ExportFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Benchmark_InTheImage_FitsTrees()
    {
        await image.BuildAsync();
        _folder.Deals("deals.csv", 300);
        if (!OperatingSystem.IsWindows())
        {
            // A temporary folder is its maker's alone, and the image's user is another.
            File.SetUnixFileMode(
                _folder.Path,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        }

        var result = await image.RunAsync(
            ["-v", $"{_folder.Path}:/data:ro"], "ml", "benchmark", "--csv", "/data/deals.csv", "--label", "Result", "--positive", "Won", "--json");

        Assert.True(result.ExitCode == 0, result.Errors);
        var report = Json.Parse(result.Output);
        Assert.Equal(JsonValueKind.Null, report.GetProperty("lightgbm_unavailable").ValueKind);
        Assert.Contains("LightGBM", report.GetProperty("protocols")[0].GetProperty("candidates").EnumerateArray().Select(c => c.GetProperty("name").GetString()));
    }
}
