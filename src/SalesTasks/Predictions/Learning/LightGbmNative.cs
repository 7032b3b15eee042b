using System.Reflection;
using System.Runtime.InteropServices;

namespace SalesTasks.Predictions.Learning;

/// <summary>The calls of LightGBM's C interface that are used (LightGBM 4, <c>include/LightGBM/c_api.h</c>). Every call returns 0 or -1.</summary>
internal static partial class LightGbmNative
{
    private const string Library = "lib_lightgbm";

    private static readonly Lazy<string?> s_unavailable = new(TryLoad);

    /// <summary>Why LightGBM cannot be used on this machine, in words for people; null where it can.</summary>
    public static string? Unavailable => s_unavailable.Value;

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial nint LGBM_GetLastError();

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int LGBM_DatasetCreateFromMat(
        ReadOnlySpan<float> data, int dataType, int rows, int columns, int isRowMajor, string parameters, nint reference, out nint dataset);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int LGBM_DatasetSetField(nint dataset, string field, ReadOnlySpan<float> data, int count, int dataType);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int LGBM_DatasetFree(nint dataset);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int LGBM_BoosterCreate(nint dataset, string parameters, out nint booster);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int LGBM_BoosterFree(nint booster);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int LGBM_BoosterAddValidData(nint booster, nint dataset);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int LGBM_BoosterUpdateOneIter(nint booster, out int isFinished);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int LGBM_BoosterGetEval(nint booster, int dataset, out int count, Span<double> results);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int LGBM_BoosterPredictForMat(
        nint booster, ReadOnlySpan<float> data, int dataType, int rows, int columns, int isRowMajor, int kind, int firstIteration, int iterations,
        string parameters, out long count, Span<double> results);

    [LibraryImport(Library)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int LGBM_BoosterSaveModelToString(
        nint booster, int firstIteration, int iterations, int importance, long capacity, out long length, Span<byte> text);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.AssemblyDirectory)]
    internal static partial int LGBM_BoosterLoadModelFromString(string model, out int iterations, out nint booster);

    /// <exception cref="LightGbmException">The call failed.</exception>
    internal static void Check(int code)
    {
        if (code != 0)
        {
            throw new LightGbmException(Marshal.PtrToStringUTF8(LGBM_GetLastError()) ?? "unknown error");
        }
    }

    private static string? TryLoad()
    {
        // Waiting threads must sleep: where they spin, a fit on a machine whose cores are busy takes up to twenty times as long. The C
        // library's environment is meant: .NET's own copy is not what libgomp reads.
        if (OperatingSystem.IsLinux())
        {
            _ = SetEnvironment("OMP_WAIT_POLICY", "PASSIVE", 0);
        }

        if (NativeLibrary.TryLoad(Library, Assembly.GetExecutingAssembly(), DllImportSearchPath.AssemblyDirectory, out _))
        {
            return null;
        }

        return RuntimeInformation.ProcessArchitecture is Architecture.X64
            ? "LightGBM cannot be loaded on this machine; on Debian and Ubuntu install libgomp1"
            : $"LightGBM is not available on {RuntimeInformation.ProcessArchitecture}";
    }

    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetEnvironment(string name, string value, int overwrite);
}

/// <summary>LightGBM refused a call; the message is its own.</summary>
internal sealed class LightGbmException(string message) : Exception(message);
