namespace SalesTasks.Reports;

/// <summary>A report as files: <c>FOLDER/weekly/2026-W11/…</c>.</summary>
internal static class ReportFolder
{
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
            foreach (var file in files.OrderBy(file => file.Name == Report.PageName(language)))
            {
                written += WriteFile(Path.Combine(directory, file.Name), file.Content) ? 1 : 0;
            }

            return (written, Path.Combine(directory, Report.PageName(language)));
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or DirectoryNotFoundException or NotSupportedException or ArgumentException)
        {
            throw JobException.Usage($"output: '{folder}' cannot be written ({exception.GetType().Name}); allowed: a folder this user may write", exception);
        }
        catch (IOException exception)
        {
            throw JobException.Temporary($"output: '{folder}' cannot be written ({exception.Message})", exception);
        }
    }

    private static bool WriteFile(string path, byte[] content)
    {
        if (File.Exists(path) && new FileInfo(path).Length == content.Length && File.ReadAllBytes(path).AsSpan().SequenceEqual(content))
        {
            return false;
        }

        // Beside its place: a rename within one folder is atomic. Two runs write two files, and the same bytes.
        var partial = $"{path}.{Path.GetRandomFileName()}.partial";
        try
        {
            File.WriteAllBytes(partial, content);
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
