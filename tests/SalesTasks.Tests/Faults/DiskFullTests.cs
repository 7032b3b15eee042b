using System.Diagnostics;

namespace SalesTasks.Tests.Faults;

/// <summary>
/// A disk that is full: the trial's database lies in a tablespace on a small file system in memory, which is filled up to some bytes. Mounting it
/// takes root; without, the test is skipped with the reason, and fails where CI is true. (That the server says so at any statement, SQLSTATE 53100,
/// is part of the sweep, and needs no root.)
/// </summary>
[Collection("Faults")]
public sealed class DiskFullTests(FaultWorld world, ITestOutputHelper output)
{
    private static readonly int[] s_free = [0, 8 * 1024, 64 * 1024, 256 * 1024];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Disk_Full_RunsFailForNowAndTheNextComplete()
    {
        await world.StartedAsync();
        var folder = $"{world.Postgres.Folder}/small";
        Directory.CreateDirectory(folder);
        var mounted = Environment.IsPrivilegedProcess ? await RunAsync("mount", "-t", "tmpfs", "-o", "size=96m", "tmpfs", folder) : "only root may mount";
        if (mounted is not null)
        {
            Assert.False(Repository.Checkout.IsCi, $"No file system of a given size can be mounted: {mounted}. Run the tests as root, with CAP_SYS_ADMIN.");
            Assert.Skip(mounted);
        }

        try
        {
            Assert.Null(await RunAsync("chown", $"--reference={world.Postgres.Folder}", folder));
            await world.AdministerAsync($"CREATE TABLESPACE small LOCATION '{folder}'");
            var full = 0;
            foreach (var scene in Scene.All)
            {
                foreach (var free in FaultPlan.Everything ? s_free : FaultPlan.Choose(scene.Name, s_free, 1))
                {
                    full += await TryAsync(scene, folder, free) ? 1 : 0;
                }
            }

            output.WriteLine($"{full} runs met a full disk");
            Assert.True(full > 5, $"Only {full} runs met a full disk.");
            await world.AdministerAsync("DROP TABLESPACE small");
        }
        finally
        {
            await RunAsync("umount", "--lazy", folder);
        }
    }

    private async Task<bool> TryAsync(Scene scene, string folder, int free)
    {
        var reference = await world.ReferenceAsync(scene);
        await using var trial = await Trial.PrepareAsync(world, scene, idempotent: true, tablespace: "small");
        var ballast = $"{folder}/ballast";
        Fill(ballast, free);
        var (answer, _) = await trial.RunAsync(scene, Fault.Nothing);
        File.Delete(ballast);
        var wrong = await trial.JudgeAsync(reference, answer, struck: true) ?? await trial.RecoverAsync(scene, reference);
        Assert.True(wrong is null, $"{scene} with {free} bytes free: {wrong}");
        return answer.ExitCode is ExitCode.TemporaryFailure;
    }

    private static void Fill(string path, int free)
    {
        using var file = File.Create(path);
        var piece = new byte[64 * 1024];
        try
        {
            while (true)
            {
                file.Write(piece);
                file.Flush();
            }
        }
        catch (IOException)
        {
            // Full.
        }

        file.SetLength(Math.Max(0, new FileInfo(path).Length - free));
    }

    /// <returns>What it complained of; null: nothing.</returns>
    private static async Task<string?> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
        var errors = await process.StandardError.ReadToEndAsync(Token);
        await process.WaitForExitAsync(Token);
        return process.ExitCode == 0 ? null : $"{program} {string.Join(' ', arguments)}: {errors.Trim()}";
    }
}
