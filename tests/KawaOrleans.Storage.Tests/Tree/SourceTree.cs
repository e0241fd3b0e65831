using System.Xml.Linq;

namespace KawaOrleans.Storage.Tests.Tree;

/// <summary>The repository these tests were built from, as files.</summary>
internal static class SourceTree
{
    public static string Root { get; } = FindRoot();

    /// <summary>Every project by its name without the leading <c>KawaOrleans.</c>.</summary>
    public static IReadOnlyDictionary<string, ProjectFile> Projects { get; } = new[] { "src", "silo", "client-sample", "tests" }
        .SelectMany(static folder => Directory.EnumerateFiles(Path.Combine(Root, folder), "*.csproj", SearchOption.AllDirectories))
        .Select(static path => new ProjectFile(path))
        .ToDictionary(static project => project.Name);

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "KawaOrleans.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException($"{AppContext.BaseDirectory} does not lie in the repository");
        }

        return folder;
    }
}

/// <summary>One project and what it says it needs.</summary>
internal sealed class ProjectFile
{
    public ProjectFile(string path)
    {
        var xml = XDocument.Load(path);
        Folder = Path.GetDirectoryName(path)!;
        Name = ShortName(path);
        References = [.. Included("ProjectReference").Select(ShortName)];
        Packages = [.. Included("PackageReference")];

        IEnumerable<string> Included(string item) => xml.Descendants(item).Select(static e => (string?)e.Attribute("Include")).OfType<string>();
    }

    public string Name { get; }

    public string Folder { get; }

    public IReadOnlyList<string> References { get; }

    public IReadOnlyList<string> Packages { get; }

    public IEnumerable<string> Sources => Directory.EnumerateFiles(Folder, "*.cs", SearchOption.AllDirectories)
        .Where(static file => !file.Contains($"{Path.DirectorySeparatorChar}obj{Path.DirectorySeparatorChar}", StringComparison.Ordinal));

    /// <summary>The projects it sees, directly or through others.</summary>
    public IReadOnlySet<string> Sees()
    {
        var seen = new HashSet<string>();
        var open = new Stack<string>(References);
        while (open.TryPop(out var name))
        {
            if (seen.Add(name))
            {
                foreach (var next in SourceTree.Projects[name].References)
                {
                    open.Push(next);
                }
            }
        }

        return seen;
    }

    private static string ShortName(string path) =>
        Path.GetFileNameWithoutExtension(path.Replace('\\', '/')).Replace("KawaOrleans.", "", StringComparison.Ordinal);
}
