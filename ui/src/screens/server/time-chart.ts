import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'
import type { ChartColumns } from './chart-columns.ts'
import { timeOfDay } from '../../words/times.ts'

export type Limit = {
  readonly value: number
  readonly label: string
  readonly kind: 'warning' | 'critical'
}

export type ChartFacts = {
  readonly columns: ChartColumns
  readonly range: readonly [number, number]
  readonly limits: readonly Limit[]
  readonly now: number
  readonly span: readonly [number, number]
}

export type ChartOptions = {
  readonly height: number
  readonly format: (value: number) => string
  /** The index of the columns under the pointer, or null. */
  readonly onPoint: (index: number | null) => void
}

/** The one door to uPlot: a chart in `element`, drawn in the colours that the theme has at this moment. */
export function openChart(element: HTMLElement, first: ChartFacts, options: ChartOptions) {
  let facts = first
  const style = getComputedStyle(element)
  const ratio = devicePixelRatio
  const font = `11px ${style.fontFamily}`
  // Canvas cannot read light-dark(); the browser resolves it where it is used as a colour.
  const probe = element.appendChild(document.createElement('i'))
  const colour = (name: string) => {
    probe.style.color = `var(--${name})`
    return getComputedStyle(probe).color
  }
  const ink = colour('ink-soft')
  const grid = { stroke: colour('chart-grid'), width: 1 }
  const line = { warning: colour('chart-warning'), critical: colour('chart-critical') }
  const ground = colour('surface')
  const nowColour = colour('chart-now')
  const hidden = { stroke: 'transparent', width: 0, points: { show: false } }
  const points = { show: false }
  const series: uPlot.Series[] = [
    {},
    { stroke: colour('chart-history'), width: 1.5, points },
    hidden,
    hidden,
    hidden,
    { stroke: colour('chart-forecast'), width: 2, dash: [6, 4], points },
    hidden,
    hidden,
    { stroke: colour('chart-what-if'), width: 2, points },
  ]
  const bands = [
    { series: [2, 1], fill: colour('chart-peak') },
    { series: [3, 7], fill: colour('chart-band96') },
    { series: [4, 6], fill: colour('chart-band80') },
  ] satisfies uPlot.Band[]
  probe.remove()

  type Point = readonly [x: number, y: number]

  function stroke(ctx: CanvasRenderingContext2D, from: Point, to: Point) {
    ctx.beginPath()
    ctx.moveTo(...from)
    ctx.lineTo(...to)
    ctx.stroke()
  }

  /** On its own ground, because lines run through where it stands. */
  function write(
    ctx: CanvasRenderingContext2D,
    text: string,
    { left, top, ink }: { readonly left: number; readonly top: number; readonly ink: string },
  ) {
    ctx.textAlign = 'left'
    ctx.textBaseline = 'top'
    ctx.fillStyle = ground
    ctx.fillRect(left - 2 * ratio, top, ctx.measureText(text).width + 4 * ratio, 12 * ratio)
    ctx.fillStyle = ink
    ctx.fillText(text, left, top + ratio)
  }

  function drawMarks(chart: uPlot) {
    const { ctx, bbox } = chart
    ctx.save()
    ctx.font = `${11 * ratio}px ${style.fontFamily}`
    ctx.lineWidth = ratio
    const inSight = facts.limits.filter(({ value }) => value <= facts.range[1])
    const heightOf = (value: number) => Math.round(chart.valToPos(value, 'y', true))
    for (const { value, kind } of inSight) {
      ctx.strokeStyle = line[kind]
      ctx.setLineDash(kind === 'critical' ? [] : [4 * ratio, 4 * ratio])
      stroke(ctx, [bbox.left, heightOf(value)], [bbox.left + bbox.width, heightOf(value)])
    }
    for (const { value, label, kind } of inSight) {
      // Above its line where there is room; beside each other, because two limits can be closer than their names.
      const y = heightOf(value)
      const above = kind === 'critical' && y - bbox.top >= 15 * ratio
      const left = bbox.left + (kind === 'critical' ? 4 : 110) * ratio
      write(ctx, label, { left, top: y + (above ? -14 : 3) * ratio, ink: line[kind] })
    }
    const x = Math.round(chart.valToPos(facts.now / 1000, 'x', true))
    ctx.strokeStyle = nowColour
    ctx.setLineDash([])
    stroke(ctx, [x, bbox.top], [x, bbox.top + bbox.height])
    // Above the plot, where no line runs.
    write(ctx, 'now', { left: x - 10 * ratio, top: bbox.top - 13 * ratio, ink: nowColour })
    ctx.restore()
  }

  const chart = new uPlot(
    {
      width: Math.max(element.clientWidth, 200),
      height: options.height,
      legend: { show: false },
      padding: [14, 8, 0, 0],
      cursor: {
        y: false,
        sync: { key: 'server' },
        points: { show: false },
        drag: { setScale: false },
      },
      series,
      bands,
      scales: {
        x: { time: true, range: () => [facts.span[0] / 1000, facts.span[1] / 1000] },
        y: { range: () => [...facts.range] },
      },
      axes: [
        {
          stroke: ink,
          font,
          grid,
          ticks: { show: false },
          space: 60,
          size: 24,
          incrs: [3600, 7200, 10_800, 14_400, 21_600, 43_200],
          values: (_, ticks) => ticks.map((tick) => timeOfDay(tick * 1000)),
        },
        {
          stroke: ink,
          font,
          grid,
          ticks: { show: false },
          size: 52,
          space: 34,
          values: (_, ticks) => ticks.map(options.format),
        },
      ],
      hooks: {
        draw: [drawMarks],
        setCursor: [({ cursor }) => options.onPoint(cursor.idx ?? null)],
      },
    },
    facts.columns as uPlot.AlignedData,
    element,
  )

  const resize = new ResizeObserver(() => {
    if (element.clientWidth > 0 && element.clientWidth !== chart.width)
      chart.setSize({ width: element.clientWidth, height: options.height })
  })
  resize.observe(element)

  return {
    update(next: ChartFacts) {
      facts = next
      chart.setData(next.columns as uPlot.AlignedData)
    },
    close() {
      resize.disconnect()
      chart.destroy()
    },
  }
}
