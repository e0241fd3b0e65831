using System.Text.RegularExpressions;

namespace KawaOrleans.Cluster.Tests.Client;

/// <summary>The programs that README shows are the ones that were compiled, and run.</summary>
public sealed class SnippetTests
{
    private static readonly string Root = FindRoot();

    [Theory]
    [InlineData("client-program", "ClientProgram.cs")]
    [InlineData("abstractions-only", "AbstractionsOnly.cs")]
    public void README_shows_what_was_compiled(string name, string file)
    {
        var shown = Block(name).Match(File.ReadAllText(Path.Combine(Root, "README.md")));

        Assert.True(shown.Success, $"README.md has no snippet '{name}'");
        Assert.Equal(Snippet(name, Path.Combine(Root, "docs", "snippets", file)), shown.Groups[1].Value);
    }

    [Fact]
    public async Task The_program_without_the_client_library_runs()
    {
        await using var cluster = await KawaCluster.Start(1);
        await Snippets.AbstractionsOnly.Run(cluster.Client);

        Assert.Single(await new PlainLog(cluster.Client, "orders").Read());
    }

    /// <summary>The parts of a file between the snippet's markers, each moved to the left margin, with a blank line between them.</summary>
    private static string Snippet(string name, string path)
    {
        var parts = new List<string>();
        var lines = File.ReadAllLines(path);
        for (var i = 0; i < lines.Length; i++)
        {
            if (lines[i].Trim() != $"// snippet: {name}")
            {
                continue;
            }

            var margin = lines[i].Length - lines[i].TrimStart().Length;
            var part = lines.Skip(i + 1).TakeWhile(static line => line.Trim() != "// end snippet");
            parts.Add(string.Join('\n', part.Select(line => line.Length > margin ? line[margin..] : "")));
        }

        return string.Join("\n\n", parts);
    }

    private static Regex Block(string name) => new($@"<!-- snippet: {name} -->\s*```csharp\n(.*?)\n?```\s*<!-- end snippet -->", RegexOptions.Singleline);

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
