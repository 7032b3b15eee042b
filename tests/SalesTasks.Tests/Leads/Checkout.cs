namespace SalesTasks.Tests.Leads;

/// <summary>The source folder these tests were built in.</summary>
internal static class Checkout
{
    public static string Folder { get; } = Find();

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "SalesTasks.sln")))
        {
            folder = folder.Parent ?? throw new InvalidOperationException("The tests run outside their checkout.");
        }

        return folder.FullName;
    }
}
