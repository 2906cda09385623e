// Keys of the review, and what an answer changes as soon as it is known. All works without this.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) return;
  const wanted = event.key.toLowerCase();
  if (!/^[a-z]$/.test(wanted)) return;
  const target = document.querySelector(`[data-key="${wanted}"]`);
  if (!target) return;
  event.preventDefault();
  target.click();
});

const waiting = document.querySelector("[data-wait]");
async function ask() {
  const answer = await fetch(waiting.dataset.wait).catch(() => null);
  if (!answer?.ok) return;
  waiting.innerHTML = await answer.text();
  if (answer.status === 202) setTimeout(ask, 600);
}
if (waiting) ask();
