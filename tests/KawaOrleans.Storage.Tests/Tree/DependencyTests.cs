using System.Text.RegularExpressions;

namespace KawaOrleans.Storage.Tests.Tree;

/// <summary>Dependencies point one way (docs/ARCHITECTURE.md, "Projects"), and names say what a thing is.</summary>
public sealed partial class DependencyTests
{
    [Theory]
    [InlineData("Format", "")]
    [InlineData("Abstractions", "Format")]
    [InlineData("Client", "Abstractions Format")]
    [InlineData("Storage", "Format")]
    [InlineData("Server", "Abstractions Format Storage")]
    [InlineData("Cli", "Abstractions Client Format Storage")]
    public void A_library_sees_only_what_it_may(string project, string seen) =>
        Assert.Equal(seen, string.Join(' ', SourceTree.Projects[project].Sees().Order()));

    [Fact]
    public void Only_hosts_the_sample_and_tests_reference_the_server()
    {
        var referencing = SourceTree.Projects.Values.Where(static p => p.References.Contains("Server")).Select(static p => p.Name);
        Assert.All(referencing, static name => Assert.Matches(@"^(Silo|ClientSample|Benchmarks|\w+\.Tests)$", name));
    }

    [Theory]
    [InlineData("Format")]
    [InlineData("Storage")]
    public void Format_and_storage_know_nothing_of_Orleans(string project)
    {
        Assert.DoesNotContain(SourceTree.Projects[project].Packages, static package => package.StartsWith("Microsoft.Orleans", StringComparison.Ordinal));
        AssertNoUsing(project, "Orleans");
    }

    [Fact]
    public void Of_the_tool_only_what_is_for_running_clusters_knows_of_Orleans()
    {
        var users = SourceTree.Projects["Cli"].Sources.Where(static file => File.ReadLines(file).Any(static line => line.StartsWith("using Orleans", StringComparison.Ordinal)));
        Assert.All(users, static file => Assert.Equal("Clusters", Path.GetFileName(Path.GetDirectoryName(file))));
    }

    [Theory]
    [InlineData("Abstractions")]
    [InlineData("Client")]
    public void Contracts_and_client_use_neither_storage_nor_server(string project)
    {
        AssertNoUsing(project, "KawaOrleans.Storage");
        AssertNoUsing(project, "KawaOrleans.Server");
    }

    [Theory]
    [InlineData("Format/PublicAPI")]
    [InlineData("Storage/PublicAPI")]
    [InlineData("Abstractions/PublicAPI")]
    [InlineData("Client/PublicAPI")]
    public void A_library_writes_down_what_it_promises(string files)
    {
        // Without these files the analysers that hold the code against them are silent.
        Assert.True(File.Exists(Path.Combine(SourceTree.Root, "src", $"KawaOrleans.{files}.Shipped.txt")));
        Assert.True(File.Exists(Path.Combine(SourceTree.Root, "src", $"KawaOrleans.{files}.Unshipped.txt")));
    }

    [Fact]
    public void Grain_interfaces_are_held_against_their_written_contract() =>
        Assert.True(File.Exists(Path.Combine(SourceTree.Projects["Abstractions"].Folder, "OrleansContracts.txt")));

    [Fact]
    public void No_type_is_named_for_being_a_class_rather_than_for_what_it_is()
    {
        var named = from project in SourceTree.Projects.Values
                    from file in project.Sources
                    from Match type in TypeName().Matches(File.ReadAllText(file))
                    select $"{Path.GetRelativePath(SourceTree.Root, file)}: {type.Groups[1].Value}";
        Assert.Empty(named);
    }

    [Fact]
    public void No_file_or_folder_is_a_drawer_for_everything()
    {
        var drawers = SourceTree.Projects.Values.SelectMany(static project => project.Sources)
            .Select(static file => Path.GetRelativePath(SourceTree.Root, file))
            .Where(static file => Drawer().IsMatch(file));
        Assert.Empty(drawers);
    }

    private static void AssertNoUsing(string project, string root)
    {
        var usings = from file in SourceTree.Projects[project].Sources
                     from line in File.ReadLines(file)
                     where Regex.IsMatch(line, $@"^\s*(global\s+)?using\s+(static\s+|\w+\s*=\s*)?{Regex.Escape(root)}[.;]")
                     select $"{Path.GetRelativePath(SourceTree.Root, file)}: {line.Trim()}";
        Assert.Empty(usings);
    }

    [GeneratedRegex(@"^[ \t]*(?:\[.*\][ \t]*)?(?:(?:public|internal|private|protected|file|static|sealed|abstract|partial|readonly|ref|unsafe)\s+)+(?:class|record|struct|record\s+struct|record\s+class|interface|enum)\s+(\w*(?:Manager|Helpers?|Utils?|Utilit(?:y|ies)|Impl|Info))\b", RegexOptions.Multiline)]
    private static partial Regex TypeName();

    [GeneratedRegex(@"(?:Managers?|Helpers?|Utils?|Utilities|Common|Interfaces|Models)(?:\.cs$|[\\/])")]
    private static partial Regex Drawer();
}
