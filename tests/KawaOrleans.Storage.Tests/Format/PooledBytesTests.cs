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

    [Fact]
    public void Large_arrays_that_nobody_wants_any_more_are_let_go()
    {
        var rented = Returned(3 * 1024 * 1024);
        for (var attempt = 0; attempt < 200 && rented.IsAlive; attempt++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Assert.False(rented.IsAlive);
        var another = PooledBytes.Rent(3 * 1024 * 1024);
        Assert.True(another.Length >= 3 * 1024 * 1024);
        PooledBytes.Return(another);
    }

    /// <summary>Of its own, so that the array stays in no local of the caller.</summary>
    private static WeakReference Returned(int bytes)
    {
        var rented = PooledBytes.Rent(bytes);
        PooledBytes.Return(rented);
        return new WeakReference(rented);
    }
}
