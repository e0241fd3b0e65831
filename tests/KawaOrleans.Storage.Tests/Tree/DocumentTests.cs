using System.Text.RegularExpressions;

namespace KawaOrleans.Storage.Tests.Tree;

public sealed partial class DocumentTests
{
    [Fact]
    public void Every_link_in_a_document_leads_to_a_file()
    {
        var documents = Directory.EnumerateFiles(SourceTree.Root, "*.md")
            .Concat(Directory.EnumerateFiles(Path.Combine(SourceTree.Root, "docs"), "*.md", SearchOption.AllDirectories));
        var broken = from document in documents
                     from Match link in Link().Matches(File.ReadAllText(document))
                     let target = link.Groups[1].Value
                     where !target.Contains("://", StringComparison.Ordinal) && !Path.Exists(Path.Combine(Path.GetDirectoryName(document)!, target))
                     select $"{Path.GetRelativePath(SourceTree.Root, document)}: {target}";
        Assert.Empty(broken);
    }

    [GeneratedRegex(@"\]\(([^)#]+)(?:#[^)]*)?\)")]
    private static partial Regex Link();
}
