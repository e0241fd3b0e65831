using KawaOrleans.Format;

namespace KawaOrleans.Storage.Tests.Format;

/// <summary>Runs alone: others rent from the same pools.</summary>
[Collection(Segments.Alone.Name)]
public sealed class PooledBytesTests
{
    /// <summary>Each thread kept one: with a mebibyte each, and blocks that pass through all threads, most of a silo's memory.</summary>
    [Theory]
    [InlineData(1024 * 1024)]
    [InlineData(1024 * 1024 + 1)]
    [InlineData(16 * 1024 * 1024)]
    public void What_one_thread_gives_back_another_one_gets(int bytes)
    {
        var seen = new HashSet<byte[]>(ReferenceEqualityComparer.Instance);
        for (var i = 0; i < 40; i++)
        {
            var thread = new Thread(() =>
            {
                var rented = PooledBytes.Rent(bytes);
                seen.Add(rented);
                PooledBytes.Return(rented);
            });
            thread.Start();
            thread.Join();
        }

        Assert.InRange(seen.Count, 1, 4);
    }

    [Fact]
    public void Any_size_is_given_and_taken_back()
    {
        foreach (var bytes in Enumerable.Range(0, 26).SelectMany(bit => new[] { (1 << bit) - 1, 1 << bit, (1 << bit) + 1 }))
        {
            var rented = PooledBytes.Rent(bytes);
            Assert.True(rented.Length >= bytes);
            PooledBytes.Return(rented);
        }
    }
}
