namespace SalesTasks.Tests.Repository;

public sealed class FormatTests
{
    [Fact]
    public async Task Sources_DotnetFormat_ChangesNothing()
    {
        var format = await Checkout.RunAsync(
            $"{Checkout.DotnetRoot}/dotnet", "format", $"{Checkout.Root}/SalesTasks.sln", "--verify-no-changes", "--verbosity", "normal");

        Assert.True(format.ExitCode == 0, $"Some files are not formatted; `dotnet format` does it:\n{format.Output}{format.Errors}");
    }

    [Fact]
    public async Task Scripts_ShellCheck_FindsNothing()
    {
        if (!Checkout.Has("shellcheck"))
        {
            Checkout.SkipOrFail("shellcheck is missing: apt-get install -y shellcheck");
        }

        string[] scripts = ["sales-tasks", ".ci/run", "tests/image/make-base-images.sh"];
        var check = await Checkout.RunAsync("shellcheck", scripts.Select(script => $"{Checkout.Root}/{script}"));

        Assert.True(check.ExitCode == 0, check.Output + check.Errors);
    }
}
