namespace SalesTasks.Reports;

/// <summary>A report as files: <c>FOLDER/weekly/2026-W11/…</c>.</summary>
internal static class ReportFolder
{
    private const string Partial = ".partial";

    /// <summary>EROFS, as in a container whose root file system is read-only: no retry makes it writable.</summary>
    private const int ReadOnlyFileSystem = 30;

    /// <summary>
    /// Writes what is not there yet byte for byte. Each file appears whole: it is written beside its place and renamed. The page comes last,
    /// so that who sees it has its data too.
    /// </summary>
    /// <returns>How many files were written, and where the page is.</returns>
    /// <exception cref="JobException">64: the folder cannot be written. 75: the disk failed or is full.</exception>
    public static (int Written, string Page) Write(string folder, ReportPeriod period, ReportLanguage language, IReadOnlyList<ReportFile> files)
    {
        var written = 0;
        try
        {
            var directory = Directory.CreateDirectory(Path.Combine(folder, period.Type, period.Id)).FullName;
            RemoveLeftovers(directory);
            foreach (var file in files.OrderBy(file => file.Name == Report.PageName(language)))
            {
                written += WriteFile(Path.Combine(directory, file.Name), file.Content) ? 1 : 0;
            }

            return (written, Path.Combine(directory, Report.PageName(language)));
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or DirectoryNotFoundException or FileNotFoundException
            or NotSupportedException or ArgumentException or IOException { HResult: ReadOnlyFileSystem })
        {
            throw JobException.Usage($"output: '{folder}' cannot be written ({exception.GetType().Name}); allowed: a folder this user may write", exception);
        }
        catch (IOException exception)
        {
            throw JobException.Temporary($"output: '{folder}' cannot be written ({exception.Message})", exception);
        }
    }

    /// <summary>What runs that were killed left: nobody holds it any more.</summary>
    private static void RemoveLeftovers(string directory)
    {
        foreach (var partial in Directory.EnumerateFiles(directory, "*" + Partial))
        {
            try
            {
                using (new FileStream(partial, FileMode.Open, FileAccess.Write, FileShare.None))
                {
                    File.Delete(partial);
                }
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                // Another run is writing it or has given it its name meanwhile, or it is another user's.
            }
        }
    }

    private static bool WriteFile(string path, byte[] content)
    {
        if (File.Exists(path) && new FileInfo(path).Length == content.Length && File.ReadAllBytes(path).AsSpan().SequenceEqual(content))
        {
            return false;
        }

        // Beside its place: a rename within one folder is atomic. Two runs write two files, and the same bytes.
        var partial = $"{path}.{Path.GetRandomFileName()}{Partial}";
        try
        {
            // Held until it has its name, so that another run can tell it from what a killed one left.
            using var file = new FileStream(partial, FileMode.CreateNew, FileAccess.Write, FileShare.None);
            file.Write(content);
            file.Flush();
            File.Move(partial, path, overwrite: true);
        }
        catch
        {
            File.Delete(partial);
            throw;
        }

        return true;
    }
}
