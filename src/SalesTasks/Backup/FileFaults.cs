namespace SalesTasks.Backup;

/// <summary>Which failures of the file system a person has to mend, and which pass.</summary>
internal static class FileFaults
{
    /// <summary>ENOSPC and EDQUOT of Linux.</summary>
    private const int NoSpace = 28;
    private const int Quota = 122;

    /// <summary>EROFS, as in a container whose root file system is read-only: no retry makes it writable.</summary>
    private const int ReadOnlyFileSystem = 30;

    public static bool IsUnusable(Exception exception) => exception is UnauthorizedAccessException or DirectoryNotFoundException or FileNotFoundException
        or NotSupportedException or ArgumentException or IOException { HResult: ReadOnlyFileSystem };

    public static bool IsFull(Exception exception) => exception is IOException { HResult: NoSpace or Quota };

    /// <summary>Of writing to the folder once it was locked.</summary>
    public static JobException Describe(string folder, Exception exception) => JobException.Temporary(
        IsFull(exception) ? Full(folder) : $"backup_folder: '{folder}' cannot be written ({exception.Message})", exception);

    public static string Full(string folder) =>
        $"backup_folder: no space is left in '{folder}'; nothing was published. Free space, or keep fewer (keep_daily, keep_weekly, keep_monthly)";
}
